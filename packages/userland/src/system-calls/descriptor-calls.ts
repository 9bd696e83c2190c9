import { errno, LinuxError } from '../errno.ts';
import { FileLocks, type HeldLock } from '../files/file-locks.ts';
import type { FileInode } from '../files/inode.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import { anonymousInode } from '../files/anonymous-inode.ts';
import type { SpecialInode } from '../files/inode.ts';
import { openPipe, Pipe } from '../files/pipe.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { fileOf, int, unsigned } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

// include/uapi/asm-generic/fcntl.h, include/uapi/linux/fcntl.h
const command = {
  duplicate: 0,
  getDescriptorFlags: 1,
  setDescriptorFlags: 2,
  getStatusFlags: 3,
  setStatusFlags: 4,
  getLock: 5,
  setLock: 6,
  setLockAndWait: 7,
  setOwner: 8,
  getOwner: 9,
  getOpenLock: 36,
  setOpenLock: 37,
  setOpenLockAndWait: 38,
  duplicateCloseOnExec: 1030,
  setPipeSize: 1031,
  getPipeSize: 1032,
} as const;
const changeableFlags = openFlags.append | openFlags.nonBlock;
const lockType = { read: 0, write: 1, unlock: 2 } as const;
const pipeSize = 65_536;
/** FIONBIO, FIOCLEX, FIONCLEX. */
const requests = { nonBlock: 0x5421, closeOnExec: 0x5451, keepOnExec: 0x5450 };

const fcntl: SystemCall = (task, [number, what, argument]) => {
  const { descriptors } = task.process;
  const file = descriptors.get(int(number));
  switch (int(what)) {
    case command.duplicate:
    case command.duplicateCloseOnExec: {
      const lowest = int(argument);
      if (lowest < 0 || lowest >= descriptors.limit) throw new LinuxError(errno.invalid);
      const closeOnExec = int(what) === command.duplicateCloseOnExec;
      return descriptors.add(file, { lowest, closeOnExec });
    }
    case command.getDescriptorFlags:
      return descriptors.closeOnExec(int(number)) ? 1 : 0;
    case command.setDescriptorFlags:
      descriptors.setCloseOnExec(int(number), (int(argument) & 1) !== 0);
      return 0;
    case command.getStatusFlags:
      return file.flags & ~openFlags.closeOnExec;
    case command.setStatusFlags:
      file.flags = (file.flags & ~changeableFlags) | (int(argument) & changeableFlags);
      return 0;
    case command.getLock:
    case command.setLock:
    case command.setLockAndWait:
    case command.getOpenLock:
    case command.setOpenLock:
    case command.setOpenLockAndWait:
      return lockRange(task, file, { command: int(what), address: argument });
    case command.setOwner:
      return 0;
    case command.getOwner:
      return 0;
    case command.setPipeSize:
    case command.getPipeSize:
      if (file.kind !== 'pipe') throw new LinuxError(errno.badDescriptor);
      return pipeSize;
    default:
      throw new LinuxError(errno.invalid);
  }
};

function locksOf(inode: FileInode): FileLocks {
  inode.locks ??= new FileLocks();
  return inode.locks;
}

/** struct flock: type, whence, start, length, pid. */
function lockRange(
  task: Task,
  file: OpenFile,
  asked: { readonly command: number; readonly address: bigint },
): number | Wait {
  const { inode } = file;
  if (inode.kind !== 'file') throw new LinuxError(errno.badDescriptor);
  const view = viewOf(guestBytes(task.memory, asked.address, 32));
  const type = view.getInt16(0, true);
  const base = [0, file.position ?? 0, inode.content.size][view.getInt16(2, true)];
  const length = Number(view.getBigInt64(16, true));
  const from = (base ?? 0) + Number(view.getBigInt64(8, true));
  if (base === undefined || from < 0 || type < 0 || type > 2) throw new LinuxError(errno.invalid);
  const start = length < 0 ? from + length : from;
  const end = length === 0 ? Infinity : length < 0 ? from : from + length;
  const open = asked.command >= command.getOpenLock;
  const owner = open ? file : task.process;
  const lock: HeldLock = { owner, start, end, exclusive: type === lockType.write, pid: task.pid };
  const locks = locksOf(inode);
  if (asked.command === command.getLock || asked.command === command.getOpenLock) {
    const room = viewOf(guestRoom(task.memory, asked.address, 32));
    const found = locks.conflict('range', lock);
    room.setInt16(0, found === undefined ? lockType.unlock : found.exclusive ? 1 : 0, true);
    if (found === undefined) return 0;
    room.setInt16(2, 0, true);
    room.setBigInt64(8, BigInt(found.start), true);
    room.setBigInt64(16, found.end === Infinity ? 0n : BigInt(found.end - found.start), true);
    room.setInt32(24, found.pid, true);
    return 0;
  }
  if (type === lockType.unlock) {
    locks.release('range', owner, lock);
    return 0;
  }
  const mode = file.flags & openFlags.accessMode;
  const allowed = type === lockType.write ? mode !== 0 : mode !== openFlags.writeOnly;
  if (!allowed) throw new LinuxError(errno.badDescriptor);
  const wait =
    asked.command === command.setLockAndWait || asked.command === command.setOpenLockAndWait;
  return locks.take('range', lock, { wait });
}

const flock: SystemCall = (task, [number, operation]) => {
  const file = fileOf(task, number);
  if (file.inode.kind !== 'file') return 0;
  const locks = locksOf(file.inode);
  const what = int(operation) & ~4;
  const whole = { start: 0, end: Infinity, owner: file, pid: task.pid };
  if (what === 8) {
    locks.release('whole', file);
    return 0;
  }
  if (what !== 1 && what !== 2) throw new LinuxError(errno.invalid);
  return locks.take(
    'whole',
    { ...whole, exclusive: what === 2 },
    { wait: (int(operation) & 4) === 0 },
  );
};

const pipe2: SystemCall = (task, [address, flagBits]) => {
  const flags = unsigned(flagBits);
  const { credentials, descriptors, kernel } = task.process;
  const room = viewOf(guestRoom(task.memory, address, 8));
  const pipe = new Pipe();
  const { uid, gid } = credentials;
  const inode: SpecialInode = anonymousInode(kernel.root.system, 'fifo', {
    uid,
    gid,
    open: (again) => openPipe(pipe, { inode, flags: again.flags, path }),
  });
  const kept = flags & openFlags.nonBlock;
  const path = `pipe:[${inode.number}]`;
  const closeOnExec = (flags & openFlags.closeOnExec) !== 0;
  const reading = descriptors.add(openPipe(pipe, { inode, flags: kept, path }), { closeOnExec });
  const writing = descriptors.add(
    openPipe(pipe, { inode, flags: kept | openFlags.writeOnly, path }),
    { closeOnExec },
  );
  room.setInt32(0, reading, true);
  room.setInt32(4, writing, true);
  return 0;
};

const ioctl: SystemCall = (task, [number, requestBits, argument]) => {
  const file = fileOf(task, number);
  const request = unsigned(requestBits);
  switch (request) {
    case requests.closeOnExec:
    case requests.keepOnExec:
      task.process.descriptors.setCloseOnExec(int(number), request === requests.closeOnExec);
      return 0;
    case requests.nonBlock: {
      const on = viewOf(guestBytes(task.memory, argument, 4)).getInt32(0, true) !== 0;
      file.flags = (file.flags & ~openFlags.nonBlock) | (on ? openFlags.nonBlock : 0);
      return 0;
    }
    default:
      if (file.control === undefined) throw new LinuxError(errno.notTerminal);
      return file.control(task, request, argument);
  }
};

function close(task: Task, number: number): void {
  const { process } = task;
  process.kernel.closedBy(process, process.descriptors.close(number));
}

/** System calls on descriptors, whatever they are for, by their names in Linux. */
export const descriptorCalls: SystemCalls = {
  fcntl,
  flock,
  pipe2,
  ioctl,
  dup: ({ process }, [number]) => process.descriptors.add(process.descriptors.get(int(number))),
  dup3: ({ process }, [number, target, flags]) => {
    const file = process.descriptors.get(int(number));
    if (int(number) === int(target)) throw new LinuxError(errno.invalid);
    const closeOnExec = (unsigned(flags) & openFlags.closeOnExec) !== 0;
    process.descriptors.set(int(target), file, { closeOnExec });
    return int(target);
  },
  close: (task, [number]) => {
    close(task, int(number));
    return 0;
  },
  close_range: (task, [first, last, flags]) => {
    const { descriptors } = task.process;
    for (const number of descriptors.numbers()) {
      if (number < unsigned(first) || number > unsigned(last)) continue;
      // CLOSE_RANGE_CLOEXEC
      if ((unsigned(flags) & 4) !== 0) descriptors.setCloseOnExec(number, true);
      else close(task, number);
    }
    return 0;
  },
};
