import { errno, LinuxError } from '../errno.ts';
import type { GuestProcess, SystemCall } from '../guest-process.ts';
import type { OpenFile } from '../open-file.ts';

// include/uapi/asm-generic/fcntl.h
const command = {
  duplicate: 0,
  getDescriptorFlags: 1,
  setDescriptorFlags: 2,
  getStatusFlags: 3,
  setStatusFlags: 4,
  duplicateCloseOnExec: 1030,
} as const;
const writeOnly = 1;
/** O_LARGEFILE, which 64-bit kernels set on all files that are opened. */
const largeFile = 0o400000;

export function descriptor(process: GuestProcess, number: bigint): OpenFile {
  const file = process.descriptors.get(int(number));
  if (file === undefined) throw new LinuxError(errno.badDescriptor);
  return file;
}

/** What a C int in the low half of a register is. */
export function int(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

function duplicate(process: GuestProcess, file: OpenFile, lowest: number): number {
  const number = process.descriptors.add(file, lowest);
  if (number === undefined) throw new LinuxError(errno.tooManyFiles);
  return number;
}

const fcntl: SystemCall = (process, [number, what, argument]) => {
  const file = descriptor(process, number);
  switch (int(what)) {
    case command.duplicate:
    case command.duplicateCloseOnExec:
      if (int(argument) < 0) throw new LinuxError(errno.invalid);
      return duplicate(process, file, int(argument));
    // There is no execve yet that would close them.
    case command.getDescriptorFlags:
    case command.setDescriptorFlags:
    case command.setStatusFlags:
      return 0;
    case command.getStatusFlags:
      return file.kind === 'output' ? writeOnly : file.kind === 'input' ? 0 : largeFile;
    default:
      throw new LinuxError(errno.invalid);
  }
};

/** System calls on descriptors, whatever they are for, by their names in Linux. */
export const descriptorCalls: Readonly<Record<string, SystemCall>> = {
  fcntl,
  dup: (process, [number]) => duplicate(process, descriptor(process, number), 0),
  dup3: (process, [number, target]) => {
    const file = descriptor(process, number);
    if (int(number) === int(target)) throw new LinuxError(errno.invalid);
    if (!process.descriptors.set(int(target), file)) throw new LinuxError(errno.badDescriptor);
    return int(target);
  },
  close: (process, [number]) => {
    if (!process.descriptors.close(int(number))) throw new LinuxError(errno.badDescriptor);
    return 0;
  },
};
