import { guestPageSize } from '@tapline/a64';
import { TaplineError } from '@tapline/base';
import { parseElf } from '@tapline/elf';
import { type AddressSpace, pageUp, permissionsOf } from './address-space.ts';

const load = 1;
/** PF_X, PF_W, PF_R of gABI to PROT_EXEC, PROT_WRITE, PROT_READ. */
const protections = [0, 4, 2, 6, 1, 5, 3, 7];

export interface LoadedProgram {
  readonly entry: number;
  /** Where its program headers are in memory, and how many: AT_PHDR, AT_PHNUM. */
  readonly headers: number;
  readonly headerCount: number;
}

/** Puts a static AArch64 program where it wants to be, and the heap after it. */
export function loadProgram(bytes: Uint8Array, space: AddressSpace): LoadedProgram {
  const elf = parseElf(bytes);
  const { header, programHeaders } = elf;
  if (header.machine !== 'aarch64') {
    throw new TaplineError('program_unsupported', `a program for ${header.machine}, not aarch64`);
  }
  if (elf.kind !== 'executable' || elf.linking !== 'static') {
    throw new TaplineError(
      'program_unsupported',
      `a program that is ${elf.linking} and ${elf.kind}; only static executables are loaded so far`,
    );
  }
  const segments = programHeaders.filter(({ type }) => type === load);
  let end = 0;
  let headers = 0;
  for (const segment of segments) {
    const { virtualAddress, offset, fileSize, memorySize, flags } = segment;
    const start = virtualAddress - (virtualAddress % guestPageSize);
    const length = pageUp(virtualAddress + memorySize) - start;
    space.mapAt(start, { length, permissions: 0 });
    space.memory.bytesAt(virtualAddress, fileSize).set(bytes.subarray(offset, offset + fileSize));
    space.protect(start, { length, permissions: permissionsOf(protections[flags & 7] ?? 0) });
    end = Math.max(end, virtualAddress + memorySize);
    const { programHeaderOffset } = header;
    if (programHeaderOffset >= offset && programHeaderOffset < offset + fileSize) {
      headers = virtualAddress + programHeaderOffset - offset;
    }
  }
  space.startHeap(end);
  return { entry: header.entry, headers, headerCount: programHeaders.length };
}
