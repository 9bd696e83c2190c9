import { permissionsOf } from '../address-space.ts';
import { errno, LinuxError } from '../errno.ts';
import type { SystemCall } from '../guest-process.ts';

const mapFlags = { fixed: 0x10, anonymous: 0x20, fixedNoReplace: 0x100000 };

const mmap: SystemCall = (process, [address, length, protection, flagBits, number, offset]) => {
  const flags = Number(flagBits & 0xffffffffn);
  const { space } = process;
  const size = Number(length);
  const permissions = permissionsOf(Number(protection & 7n));
  const bytes = (flags & mapFlags.anonymous) === 0 ? content(process, number, offset) : undefined;
  let at: number;
  if ((flags & (mapFlags.fixed | mapFlags.fixedNoReplace)) === 0) {
    at = space.map({ length: size, permissions });
  } else {
    at = Number(address);
    if ((flags & mapFlags.fixedNoReplace) !== 0 && space.memory.permissionsOf(at) !== 0) {
      throw new LinuxError(errno.exists);
    }
    space.mapAt(at, { length: size, permissions });
  }
  if (bytes !== undefined) space.memory.bytesAt(at, size).set(bytes.subarray(0, size));
  return at;
};

function content(process: Parameters<SystemCall>[0], number: bigint, offset: bigint): Uint8Array {
  const file = process.descriptors.get(Number(BigInt.asIntN(32, number)));
  if (file === undefined) throw new LinuxError(errno.badDescriptor);
  if (file.kind !== 'node' || file.node.kind !== 'file') throw new LinuxError(errno.access);
  if ((offset & 0xfffn) !== 0n) throw new LinuxError(errno.invalid);
  return file.node.bytes.subarray(Number(offset));
}

/** System calls on the address space, by their names in Linux. */
export const memoryCalls: Readonly<Record<string, SystemCall>> = {
  mmap,
  brk: ({ space }, [end]) => space.setBreak(Number(end)),
  munmap: ({ space }, [address, length]) => {
    space.unmap(Number(address), Number(length));
    return 0;
  },
  mprotect: ({ space }, [address, length, protection]) => {
    const permissions = permissionsOf(Number(protection & 7n));
    space.protect(Number(address), { length: Number(length), permissions });
    return 0;
  },
  // Advice only.
  madvise: () => 0,
};
