import { errno, LinuxError } from '../errno.ts';
import { anonymousInode } from '../files/anonymous-inode.ts';
import type { FileSystem } from '../files/inode.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import { guestRoom, viewOf } from '../memory/guest-memory.ts';
import type { Socket } from './socket.ts';

/** FIONREAD */
const countReadable = 0x541b;

/** An open file that is a socket. */
export interface SocketFile extends OpenFile {
  readonly kind: 'socket';
  readonly socket: Socket;
}

export function openSocket(
  socket: Socket,
  how: { readonly system: FileSystem; readonly flags: number },
): SocketFile {
  const inode = anonymousInode(how.system, 'socket');
  return {
    kind: 'socket',
    socket,
    inode,
    flags: (how.flags & openFlags.nonBlock) | openFlags.readWrite,
    path: `socket:[${inode.number}]`,
    changed: socket.changed,
    references: 0,
    read: (_, most) => socket.read(most, { peek: false }),
    write: (task, bytes) => socket.write(task, bytes),
    poll: () => socket.poll(),
    control: (task, request, argument) => {
      if (request !== countReadable) throw new LinuxError(errno.notTerminal);
      viewOf(guestRoom(task.memory, argument, 4)).setInt32(0, socket.available, true);
      return 0;
    },
    close: () => socket.close(),
  };
}

export function isSocketFile(file: OpenFile): file is SocketFile {
  return file.kind === 'socket';
}
