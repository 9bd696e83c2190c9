import { errno, LinuxError } from '../errno.ts';
import { createSpecial } from '../files/create-inode.ts';
import type { Inode } from '../files/inode.ts';
import { openFlags } from '../files/open-file.ts';
import { findPlace, resolvePath } from '../files/resolve-path.ts';
import { addEntry } from '../files/tree-operations.ts';
import { pathContext } from '../kernel/path-context.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { isSocketFile, openSocket, type SocketFile } from '../sockets/open-socket.ts';
import { Socket } from '../sockets/socket.ts';
import {
  family as families,
  readAddress,
  type SocketAddress,
  writeAddress,
} from '../sockets/socket-address.ts';
import { int, unsigned } from './arguments.ts';
import { ownerOf } from './owner-of.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

/** SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
const kinds: Readonly<Record<number, Socket['kind']>> = {
  1: 'stream',
  2: 'datagram',
  5: 'sequence',
};
const kindMask = 0xf;
const longestAddress = 128;
const socketLevel = 1;
// include/uapi/asm-generic/socket.h
const option = {
  type: 3,
  error: 4,
  sendBuffer: 7,
  receiveBuffer: 8,
  peerCredentials: 17,
  accepting: 30,
  protocol: 38,
  domain: 39,
} as const;
const bufferSize = 212_992;

export function socketOf(task: Task, number: bigint): SocketFile {
  const file = task.process.descriptors.get(int(number));
  if (!isSocketFile(file)) throw new LinuxError(errno.notSocket);
  return file;
}

export function addressAt(task: Task, address: bigint, length: bigint): SocketAddress {
  const size = int(length);
  if (size < 0 || size > longestAddress) throw new LinuxError(errno.invalid);
  return readAddress(guestBytes(task.memory, address, size));
}

/** As much of it as there is room for; the length says how long it is. */
export function giveAddress(
  task: Task,
  given: { readonly address: SocketAddress | undefined; readonly family: number },
  to: { readonly room: bigint; readonly length: bigint },
): void {
  if (to.room === 0n || to.length === 0n) return;
  const view = viewOf(guestRoom(task.memory, to.length, 4));
  const nameless: SocketAddress =
    given.family === families.unix
      ? { kind: 'unix', path: '' }
      : { kind: 'inet', host: '0.0.0.0', port: 0 };
  const bytes = writeAddress(given.address ?? nameless, given.family);
  const part = bytes.subarray(0, Math.max(view.getInt32(0, true), 0));
  guestRoom(task.memory, to.room, part.length).set(part);
  view.setInt32(0, bytes.length, true);
}

interface SocketInode {
  bound?: Socket;
}

/** Who has the socket file that is there. */
export function listenerAt(task: Task, address: SocketAddress): Socket | undefined {
  const { network } = task.process.kernel;
  if (address.kind !== 'unix') return network.find('tcp', address);
  if (address.path.charCodeAt(0) === 0) return network.find('unix', address);
  const inode: Inode & SocketInode = resolvePath(pathContext(task), address.path, {
    followLast: true,
  });
  if (inode.kind !== 'socket') throw new LinuxError(errno.connectionRefused);
  return inode.bound;
}

function create(
  task: Task,
  familyBits: bigint,
  typeBits: bigint,
): ConstructorParameters<typeof Socket>[1] {
  const family = int(familyBits);
  const kind = kinds[unsigned(typeBits) & kindMask];
  const known = family === families.unix || family === families.inet || family === families.inet6;
  if (!known) throw new LinuxError(errno.familyNotSupported);
  if (kind === undefined || (kind === 'sequence' && family !== families.unix)) {
    throw new LinuxError(errno.protocolNotSupported);
  }
  void task;
  return { family, kind };
}

function install(task: Task, socket: Socket, typeBits: bigint): number {
  const flags = unsigned(typeBits);
  const { kernel, descriptors } = task.process;
  const file = openSocket(socket, { system: kernel.root.system, flags });
  return descriptors.add(file, { closeOnExec: (flags & openFlags.closeOnExec) !== 0 });
}

const bind: SystemCall = (task, [number, addressBits, length]) => {
  const { socket } = socketOf(task, number);
  const address = addressAt(task, addressBits, length);
  const named = address.kind === 'unix' && address.path !== '' && address.path.charCodeAt(0) !== 0;
  if (!named) {
    socket.bind(address);
    return 0;
  }
  const place = findPlace(pathContext(task), address.path, { followLast: false });
  if (place.inode !== undefined) throw new LinuxError(errno.addressInUse);
  socket.bind(address);
  const { system } = place.parent;
  const inode: Inode & SocketInode = createSpecial(system, ownerOf(task, place, 0o777), {
    kind: 'socket',
    special: 0,
  });
  inode.bound = socket;
  addEntry(place, inode, task.process.credentials);
  return 0;
};

const connect: SystemCall = (task, [number, addressBits, length]) => {
  const file = socketOf(task, number);
  const { socket } = file;
  const address = addressAt(task, addressBits, length);
  // It was begun by this very call, and is there now.
  if (task.call?.memo === 'begun' && socket.connected) return 0;
  const begun = socket.connecting;
  const result =
    address.kind === 'unix'
      ? socket.connectTo(listenerAt(task, address), address)
      : socket.connect(address);
  if (!(result instanceof Wait)) return result;
  if ((file.flags & openFlags.nonBlock) !== 0) {
    throw new LinuxError(begun ? errno.already : errno.inProgress);
  }
  if (task.call !== undefined) task.call.memo = 'begun';
  return result;
};

function accept(task: Task, args: readonly [bigint, bigint, bigint], flags: bigint): number | Wait {
  const [number, room, length] = args;
  const file = socketOf(task, number);
  const accepted = file.socket.accept();
  if (accepted instanceof Wait) {
    if ((file.flags & openFlags.nonBlock) !== 0) throw new LinuxError(errno.again);
    return accepted;
  }
  const { remote, family } = accepted;
  giveAddress(task, { address: remote, family }, { room, length });
  return install(task, accepted, flags);
}

const getsockopt: SystemCall = (task, [number, level, name, value, length]) => {
  const { socket } = socketOf(task, number);
  const size = viewOf(guestRoom(task.memory, length, 4));
  const answer = (word: number): number => {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setInt32(0, word, true);
    const part = bytes.subarray(0, Math.max(size.getInt32(0, true), 0));
    guestRoom(task.memory, value, part.length).set(part);
    size.setInt32(0, part.length, true);
    return 0;
  };
  if (int(level) !== socketLevel)
    return answer(socket.options.get(`${int(level)}:${int(name)}`) ?? 0);
  switch (int(name)) {
    case option.type:
      return answer({ stream: 1, datagram: 2, sequence: 5 }[socket.kind]);
    case option.error:
      return answer(socket.takeError());
    case option.sendBuffer:
    case option.receiveBuffer:
      return answer(bufferSize);
    case option.accepting:
      return answer(socket.listening ? 1 : 0);
    case option.domain:
      return answer(socket.family);
    case option.protocol:
      return answer(socket.family === families.unix ? 0 : socket.kind === 'stream' ? 6 : 17);
    case option.peerCredentials: {
      const view = viewOf(guestRoom(task.memory, value, 12));
      const { uid, gid } = task.process.credentials;
      view.setInt32(0, socket.passedPid, true);
      view.setUint32(4, uid, true);
      view.setUint32(8, gid, true);
      size.setInt32(0, 12, true);
      return 0;
    }
    default:
      return answer(socket.options.get(`${int(level)}:${int(name)}`) ?? 0);
  }
};

/** System calls on sockets, by their names in Linux. */
export const socketCalls: SystemCalls = {
  bind,
  connect,
  getsockopt,
  socket: (task, [familyBits, type]) =>
    install(task, new Socket(task.process.kernel.network, create(task, familyBits, type)), type),
  socketpair: (task, [familyBits, type, , address]) => {
    const init = create(task, familyBits, type);
    if (init.family !== families.unix) throw new LinuxError(errno.notSupported);
    const room = viewOf(guestRoom(task.memory, address, 8));
    const pair = Socket.pair(task.process.kernel.network, init);
    for (const [index, socket] of pair.entries()) {
      socket.passedPid = task.pid;
      room.setInt32(index * 4, install(task, socket, type), true);
    }
    return 0;
  },
  listen: (task, [number, backlog]) => {
    socketOf(task, number).socket.listen(int(backlog));
    return 0;
  },
  accept: (task, [number, room, length]) => accept(task, [number, room, length], 0n),
  accept4: (task, [number, room, length, flags]) => accept(task, [number, room, length], flags),
  getsockname: (task, [number, room, length]) => {
    const { local, family } = socketOf(task, number).socket;
    giveAddress(task, { address: local, family }, { room, length });
    return 0;
  },
  getpeername: (task, [number, room, length]) => {
    const { remote, family, connected, kind } = socketOf(task, number).socket;
    if (remote === undefined || (kind === 'stream' && !connected)) {
      throw new LinuxError(errno.notConnected);
    }
    giveAddress(task, { address: remote, family }, { room, length });
    return 0;
  },
  setsockopt: (task, [number, level, name, value, length]) => {
    const { socket } = socketOf(task, number);
    if (int(length) < 4) throw new LinuxError(errno.invalid);
    const word = viewOf(guestBytes(task.memory, value, 4)).getInt32(0, true);
    // Nothing of it changes what bytes arrive; programs are told what they asked for.
    socket.options.set(`${int(level)}:${int(name)}`, word);
    return 0;
  },
  shutdown: (task, [number, how]) => {
    const which = int(how);
    if (which < 0 || which > 2) throw new LinuxError(errno.invalid);
    socketOf(task, number).socket.shutdown({ read: which !== 1, write: which !== 0 });
    return 0;
  },
};
