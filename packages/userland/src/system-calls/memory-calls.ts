import { guestPageSize } from '@tapline/a64';
import { errno, LinuxError } from '../errno.ts';
import { createFile } from '../files/create-inode.ts';
import { openFlags } from '../files/open-file.ts';
import { openRegular } from '../files/regular-file.ts';
import { pageUp, permissionsOf } from '../memory/address-space.ts';
import type { RegionSource } from '../memory/region.ts';
import type { Task } from '../kernel/task.ts';
import { guestRoom, guestString } from '../memory/guest-memory.ts';
import { fileOf, unsigned } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

// include/uapi/asm-generic/mman-common.h
const mapFlags = {
  shared: 1,
  private: 2,
  sharedValidate: 3,
  fixed: 0x10,
  anonymous: 0x20,
  growsDown: 0x100,
  fixedNoReplace: 0x100000,
};
const advice = { discard: 4, free: 8 };
const remapFlags = { mayMove: 1, fixed: 2 };
/** Larger than any address here. */
const tooLarge = 2n ** 40n;

function bytes(value: bigint): number {
  if (value >= tooLarge) throw new LinuxError(errno.noMemory);
  return Number(value);
}

const mmap: SystemCall = (task, [address, length, protection, flagBits, number, offset]) => {
  const flags = unsigned(flagBits);
  const { space } = task.process;
  const size = bytes(length);
  if (size === 0) throw new LinuxError(errno.invalid);
  const shared = (flags & mapFlags.shared) !== 0;
  if ((flags & mapFlags.sharedValidate) === 0) throw new LinuxError(errno.invalid);
  const permissions = permissionsOf(unsigned(protection) & 7);
  const source = sourceOf(task, { flags, number, offset, shared, size, protection });
  const what = { length: size, permissions, source };
  if ((flags & (mapFlags.fixed | mapFlags.fixedNoReplace)) === 0) {
    const hint = Number(BigInt.asUintN(52, address));
    const usable =
      hint !== 0 && hint % guestPageSize === 0 && hint + size <= space.stackTop - space.stackSize;
    if (usable && space.isFree(hint, size)) {
      try {
        space.mapAt(hint, what);
        return hint;
      } catch (error) {
        if (!(error instanceof LinuxError)) throw error;
      }
    }
    return space.map(what);
  }
  const at = bytes(address);
  if ((flags & mapFlags.fixedNoReplace) !== 0 && !space.isFree(at, size)) {
    throw new LinuxError(errno.exists);
  }
  space.mapAt(at, what);
  return at;
};

function sourceOf(
  task: Task,
  asked: {
    readonly flags: number;
    readonly number: bigint;
    readonly offset: bigint;
    readonly shared: boolean;
    readonly size: number;
    readonly protection: bigint;
  },
): RegionSource {
  const { flags, shared } = asked;
  if ((flags & mapFlags.anonymous) !== 0) {
    return {
      name: shared ? '/dev/zero (deleted)' : '',
      offset: 0,
      shared,
      ...(shared && { bytes: { bytes: new Uint8Array(pageUp(asked.size)) } }),
    };
  }
  const file = fileOf(task, asked.number);
  if ((asked.offset & BigInt(guestPageSize - 1)) !== 0n) throw new LinuxError(errno.invalid);
  const mode = file.flags & openFlags.accessMode;
  const writes = shared && (unsigned(asked.protection) & 2) !== 0;
  if (mode === openFlags.writeOnly || (writes && mode !== openFlags.readWrite)) {
    throw new LinuxError(errno.access);
  }
  const offset = Number(asked.offset);
  if (file.kind === 'device' && file.path === '/dev/zero') {
    return { name: '/dev/zero', offset: 0, shared: false };
  }
  if (file.inode.kind !== 'file') throw new LinuxError(errno.noDevice);
  return { name: file.path, file: file.inode, offset, shared };
}

const mremap: SystemCall = (task, [address, oldLength, newLength, flagBits, newAddress]) => {
  const { space } = task.process;
  const flags = unsigned(flagBits);
  const from = bytes(address);
  const before = pageUp(bytes(oldLength));
  const after = pageUp(bytes(newLength));
  const region = space.regionAt(from);
  if (from % guestPageSize !== 0 || after === 0) throw new LinuxError(errno.invalid);
  if (region === undefined || region.end < from + before) throw new LinuxError(errno.fault);
  if ((flags & remapFlags.fixed) === 0) {
    if (after <= before) {
      if (after < before) space.unmap(from + after, before - after);
      return from;
    }
    const { permissions } = region;
    const grown = after - before;
    const moved = from + before - region.start;
    const source = { ...region.source, offset: region.source.offset + moved };
    const canGrow = from + after <= space.stackTop - space.stackSize && source.bytes === undefined;
    if (canGrow && space.isFree(from + before, grown)) {
      space.mapAt(from + before, { length: grown, permissions, source });
      return from;
    }
  }
  if ((flags & remapFlags.mayMove) === 0) throw new LinuxError(errno.noMemory);
  const source = { ...region.source, offset: region.source.offset + from - region.start };
  const what = { length: after, permissions: region.permissions, source };
  const kept = space.memory.bytesAt(from, Math.min(before, after)).slice();
  let to: number;
  if ((flags & remapFlags.fixed) === 0) to = space.map(what);
  else {
    to = bytes(newAddress);
    space.mapAt(to, what);
  }
  space.write(to, kept);
  space.unmap(from, before);
  return to;
};

/** System calls on the address space, by their names in Linux. */
export const memoryCalls: SystemCalls = {
  mmap,
  mremap,
  brk: ({ process }, [end]) => process.space.setBreak(Number(BigInt.asUintN(52, end))),
  munmap: ({ process }, [address, length]) => {
    process.space.unmap(bytes(address), bytes(length));
    return 0;
  },
  mprotect: ({ process }, [address, length, protection]) => {
    if (length === 0n) return 0;
    const permissions = permissionsOf(unsigned(protection) & 7);
    process.space.protect(bytes(address), { length: bytes(length), permissions });
    return 0;
  },
  madvise: ({ process }, [address, length, what]) => {
    const kind = unsigned(what);
    if (kind === advice.discard && length > 0n) {
      process.space.discard(bytes(address), bytes(length));
    }
    return 0;
  },
  msync: ({ process }, [address, length]) => {
    process.space.storeShared(bytes(address), bytes(address) + bytes(length));
    return 0;
  },
  mlock: () => 0,
  munlock: () => 0,
  mincore: (task, [address, length, vector]) => {
    const pages = pageUp(bytes(length)) / guestPageSize;
    if (task.process.space.isFree(bytes(address), bytes(length))) {
      throw new LinuxError(errno.noMemory);
    }
    guestRoom(task.memory, vector, pages).fill(1);
    return 0;
  },
  membarrier: (_, [command]) => {
    // MEMBARRIER_CMD_QUERY: threads take turns, so all of them are no work at all.
    if (unsigned(command) === 0) return 0x1ff;
    return 0;
  },
  memfd_create: (task, [name, flagBits]) => {
    const { kernel, descriptors } = task.process;
    const text = guestString(task.memory, name, 250);
    const inode = createFile(kernel.root.system, { mode: 0o777, uid: 0, gid: 0 });
    inode.links = 0;
    const flags = openFlags.readWrite | openFlags.largeFile;
    const file = openRegular(inode, { flags, path: `/memfd:${text} (deleted)` });
    return descriptors.add(file, { closeOnExec: (unsigned(flagBits) & 1) !== 0 });
  },
};
