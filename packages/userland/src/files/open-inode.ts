import { errno, LinuxError } from '../errno.ts';
import type { Task } from '../kernel/task.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { requireAccess } from './access.ts';
import type { Inode, SpecialInode } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';
import { openPipe, Pipe } from './pipe.ts';
import { openDirectory, openRegular, resizeFile } from './regular-file.ts';

/** Opens what is there; a named pipe may have to wait for its other end. */
export function openInode(
  task: Task,
  inode: Inode,
  how: { readonly flags: number; readonly path: string; readonly fresh: boolean },
): OpenFile | Wait {
  const { flags, path, fresh } = how;
  if ((flags & openFlags.path) !== 0) return openPathOnly(inode, path);
  const mode = flags & openFlags.accessMode;
  const writes = mode === openFlags.writeOnly || mode === openFlags.readWrite;
  const reads = mode !== openFlags.writeOnly;
  if (inode.kind === 'link') throw new LinuxError(errno.tooManyLinks);
  if (inode.kind === 'directory' && (writes || (flags & openFlags.create) !== 0)) {
    throw new LinuxError(errno.isDirectory);
  }
  if (!fresh) {
    const wanted = (reads ? 4 : 0) | (writes ? 2 : 0);
    requireAccess(inode, task.process.credentials, wanted);
  }
  if (writes && inode.kind === 'file' && inode.system.readOnly) {
    throw new LinuxError(errno.readOnly);
  }
  switch (inode.kind) {
    case 'directory':
      return openDirectory(inode, { flags, path });
    case 'file':
      if ((flags & openFlags.truncate) !== 0 && !fresh && writes) resizeFile(inode, 0);
      return openRegular(inode, { flags: flags & ~openedOnce, path });
    case 'fifo': {
      // One without a name waits for nobody.
      const again = inode.open?.({ task, flags: flags & ~openedOnce });
      return again ?? openFifo(inode, { flags: flags & ~openedOnce, path });
    }
    case 'socket':
      throw new LinuxError(errno.noDevice);
    case 'character': {
      const opened = inode.open?.({ task, flags });
      if (opened === undefined) throw new LinuxError(errno.noDevice);
      return opened;
    }
  }
}

/** Flags of opening, which are not kept. */
const openedOnce =
  openFlags.create |
  openFlags.exclusive |
  openFlags.truncate |
  openFlags.noTerminal |
  openFlags.closeOnExec;

function pollNothing(): number {
  return pollEvents.invalid;
}

function openPathOnly(inode: Inode, path: string): OpenFile {
  const flags = openFlags.path;
  return {
    kind: 'path',
    inode,
    flags,
    path,
    changed: new WaitQueue(),
    references: 0,
    poll: pollNothing,
  };
}

interface FifoInode extends SpecialInode {
  pipe?: Pipe;
}

/** Opening one end waits until somebody has the other. */
function openFifo(
  inode: FifoInode,
  how: { readonly flags: number; readonly path: string },
): OpenFile | Wait {
  inode.pipe ??= new Pipe();
  const { pipe } = inode;
  const mode = how.flags & openFlags.accessMode;
  const waits = (how.flags & openFlags.nonBlock) === 0;
  if (mode === openFlags.readWrite) return openPipe(pipe, { ...how, inode });
  const other = mode === 0 ? pipe.writers : pipe.readers;
  if (other > 0 || (mode === 0 && !waits)) return openPipe(pipe, { ...how, inode });
  if (!waits) throw new LinuxError(errno.noDevice);
  return new HalfOpen(pipe, openPipe(pipe, { ...how, inode }), mode === 0);
}

/** One end is there and waits for the other: it counts as open meanwhile. */
export class HalfOpen extends Wait {
  readonly file: OpenFile;
  readonly #pipe: Pipe;
  readonly #reads: boolean;

  constructor(pipe: Pipe, file: OpenFile, reads: boolean) {
    super([pipe.changed]);
    this.#pipe = pipe;
    this.file = file;
    this.#reads = reads;
  }

  get ready(): boolean {
    return (this.#reads ? this.#pipe.writers : this.#pipe.readers) > 0 || this.#pipe.bytes.size > 0;
  }
}
