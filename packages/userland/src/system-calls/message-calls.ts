import { errno, LinuxError } from '../errno.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import type { SocketFile } from '../sockets/open-socket.ts';
import type { SocketAddress } from '../sockets/socket-address.ts';
import { int, size, unsigned } from './arguments.ts';
import { gather, readVector, scatter } from './guest-buffers.ts';
import { addressAt, giveAddress, listenerAt, socketOf } from './socket-calls.ts';
import type { SystemCalls } from './system-call.ts';

// include/linux/socket.h
const messageFlags = {
  peek: 2,
  truncated: 0x20,
  doNotWait: 0x40,
  all: 0x100,
  noSignal: 0x4000,
  closeOnExec: 0x40000000,
} as const;
const messageSize = 56;
const controlHeader = 16;
/** SOL_SOCKET, SCM_RIGHTS */
const socketLevel = 1;
const rights = 1;
const mostFiles = 253;

interface Message {
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly to: SocketAddress | undefined;
  readonly files: readonly OpenFile[];
}

function waits(file: SocketFile, flags: number): boolean {
  return (file.flags & openFlags.nonBlock) === 0 && (flags & messageFlags.doNotWait) === 0;
}

/** All of it for who waits, as write does. */
function send(task: Task, file: SocketFile, message: Message): number | Wait {
  const { socket } = file;
  const { bytes, flags, to } = message;
  if (socket.kind !== 'stream') {
    const target =
      to === undefined ? undefined : to.kind === 'unix' ? listenerAt(task, to) : undefined;
    const where =
      to === undefined ? undefined : { address: to, ...(target !== undefined && { target }) };
    const sent = socket.send(bytes, where);
    if (sent instanceof Wait && !waits(file, flags)) throw new LinuxError(errno.again);
    return sent;
  }
  const { call } = task;
  let done = call?.done ?? 0;
  if (done === 0 && message.files.length > 0) socket.channel?.files?.send(message.files);
  const quiet = (flags & messageFlags.noSignal) !== 0;
  do {
    const taken = socket.write(task, bytes.subarray(done), quiet);
    if (taken instanceof Wait) {
      if (waits(file, flags)) return taken;
      if (done === 0) throw new LinuxError(errno.again);
      return done;
    }
    done += taken;
    if (call !== undefined) call.done = done;
  } while (done < bytes.length);
  return done;
}

interface Received {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress | undefined;
  /** Of a datagram, all that it had. */
  readonly length: number;
}

function receive(
  task: Task,
  file: SocketFile,
  how: { readonly most: number; readonly flags: number },
): Received | Wait {
  const { socket } = file;
  const { most, flags } = how;
  const peek = (flags & messageFlags.peek) !== 0;
  if (socket.kind !== 'stream') {
    const datagram = socket.receive({ peek });
    if (!(datagram instanceof Wait)) {
      const { bytes, from } = datagram;
      return { bytes: bytes.subarray(0, most), from, length: bytes.length };
    }
    if (!waits(file, flags)) throw new LinuxError(errno.again);
    return datagram;
  }
  const { channel } = socket;
  const wantsAll = (flags & messageFlags.all) !== 0 && !peek && waits(file, flags);
  if (wantsAll && channel !== undefined && channel.available < most && !channel.ended) {
    return new Wait([socket.changed]);
  }
  const bytes = socket.read(most, { peek });
  if (bytes instanceof Wait) {
    if (!waits(file, flags)) throw new LinuxError(errno.again);
    return bytes;
  }
  void task;
  return { bytes, from: socket.remote, length: bytes.length };
}

/** The open files that go along (SCM_RIGHTS). */
function readFiles(task: Task, address: bigint, length: number): readonly OpenFile[] {
  const files: OpenFile[] = [];
  if (address === 0n || length < controlHeader) return files;
  const view = viewOf(guestBytes(task.memory, address, Math.min(length, 4096)));
  for (let at = 0; at + controlHeader <= view.byteLength;) {
    const bytes = Number(view.getBigUint64(at, true));
    if (bytes < controlHeader || at + bytes > view.byteLength) break;
    const isRights =
      view.getInt32(at + 8, true) === socketLevel && view.getInt32(at + 12, true) === rights;
    if (isRights) {
      for (let from = at + controlHeader; from + 4 <= at + bytes; from += 4) {
        files.push(task.process.descriptors.get(view.getInt32(from, true)));
      }
    }
    at += Math.ceil(bytes / 8) * 8;
  }
  if (files.length > mostFiles) throw new LinuxError(errno.invalid);
  return files;
}

function writeFiles(
  task: Task,
  files: readonly OpenFile[],
  to: { readonly address: bigint; readonly length: number; readonly closeOnExec: boolean },
): number {
  const fit = Math.max(Math.floor((to.length - controlHeader) / 4), 0);
  const kept = files.slice(0, to.address === 0n ? 0 : fit);
  for (const file of files.slice(kept.length)) if (file.references === 0) file.close?.();
  if (kept.length === 0) return 0;
  const bytes = controlHeader + kept.length * 4;
  const view = viewOf(guestRoom(task.memory, to.address, bytes));
  view.setBigUint64(0, BigInt(bytes), true);
  view.setInt32(8, socketLevel, true);
  view.setInt32(12, rights, true);
  for (const [index, file] of kept.entries()) {
    const number = task.process.descriptors.add(file, { closeOnExec: to.closeOnExec });
    view.setInt32(controlHeader + index * 4, number, true);
  }
  return Math.min(Math.ceil(bytes / 8) * 8, to.length);
}

/** struct msghdr: name, its length, buffers, their count, control data, its length, flags. */
function sendMessage(task: Task, file: SocketFile, address: bigint, flags: number): number | Wait {
  const view = viewOf(guestBytes(task.memory, address, messageSize));
  const name = view.getBigUint64(0, true);
  const vector = readVector(task, view.getBigUint64(16, true), view.getBigUint64(24, true));
  return send(task, file, {
    bytes: gather(task, vector),
    flags,
    to: name === 0n ? undefined : addressAt(task, name, BigInt(view.getUint32(8, true))),
    files: readFiles(task, view.getBigUint64(32, true), Number(view.getBigUint64(40, true))),
  });
}

function receiveMessage(
  task: Task,
  file: SocketFile,
  address: bigint,
  flags: number,
): number | Wait {
  const view = viewOf(guestRoom(task.memory, address, messageSize));
  const vector = readVector(task, view.getBigUint64(16, true), view.getBigUint64(24, true));
  const most = vector.reduce((total, { length }) => total + length, 0);
  const received = receive(task, file, { most, flags });
  if (received instanceof Wait) return received;
  scatter(task, vector, received.bytes);
  const { family } = file.socket;
  giveAddress(
    task,
    { address: received.from, family },
    { room: view.getBigUint64(0, true), length: address + 8n },
  );
  const files = (flags & messageFlags.peek) === 0 ? (file.socket.channel?.files?.take() ?? []) : [];
  const length = writeFiles(task, files, {
    address: view.getBigUint64(32, true),
    length: Number(view.getBigUint64(40, true)),
    closeOnExec: (flags & messageFlags.closeOnExec) !== 0,
  });
  view.setBigUint64(40, BigInt(length), true);
  view.setInt32(48, received.length > received.bytes.length ? messageFlags.truncated : 0, true);
  return received.bytes.length;
}

/** struct mmsghdr is struct msghdr and a length. */
function each(
  task: Task,
  list: { readonly address: bigint; readonly count: number },
  use: (address: bigint) => number | Wait,
): number | Wait {
  let done = 0;
  for (; done < Math.min(list.count, 1024); done++) {
    const address = list.address + BigInt(done * 64);
    let result: number | Wait;
    try {
      result = use(address);
    } catch (error) {
      if (done > 0 && error instanceof LinuxError) return done;
      throw error;
    }
    if (result instanceof Wait) return done > 0 ? done : result;
    if (task.call !== undefined) task.call.done = 0;
    viewOf(guestRoom(task.memory, address + 56n, 4)).setUint32(0, result, true);
  }
  return done;
}

/** System calls that send and receive, by their names in Linux. */
export const messageCalls: SystemCalls = {
  sendto: (task, [number, address, length, flags, name, nameLength]) =>
    send(task, socketOf(task, number), {
      bytes: guestBytes(task.memory, address, size(length)),
      flags: unsigned(flags),
      to: name === 0n ? undefined : addressAt(task, name, nameLength),
      files: [],
    }),
  recvfrom: (task, [number, address, length, flags, name, nameLength]) => {
    const file = socketOf(task, number);
    const room = guestRoom(task.memory, address, size(length));
    const received = receive(task, file, { most: room.length, flags: unsigned(flags) });
    if (received instanceof Wait) return received;
    room.set(received.bytes);
    const { family } = file.socket;
    giveAddress(task, { address: received.from, family }, { room: name, length: nameLength });
    return (unsigned(flags) & messageFlags.truncated) === 0
      ? received.bytes.length
      : received.length;
  },
  sendmsg: (task, [number, address, flags]) =>
    sendMessage(task, socketOf(task, number), address, unsigned(flags)),
  recvmsg: (task, [number, address, flags]) =>
    receiveMessage(task, socketOf(task, number), address, unsigned(flags)),
  sendmmsg: (task, [number, address, count, flags]) => {
    const file = socketOf(task, number);
    return each(task, { address, count: int(count) }, (at) =>
      sendMessage(task, file, at, unsigned(flags)),
    );
  },
  recvmmsg: (task, [number, address, count, flags]) => {
    const file = socketOf(task, number);
    return each(task, { address, count: int(count) }, (at) =>
      receiveMessage(task, file, at, unsigned(flags)),
    );
  },
};
