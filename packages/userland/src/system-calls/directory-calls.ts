import { bytesOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';
import { requireAccess } from '../files/access.ts';
import type { DirectoryInode } from '../files/inode.ts';
import { isDirectoryFile } from '../files/regular-file.ts';
import { pathOf } from '../files/resolve-path.ts';
import type { Task } from '../kernel/task.ts';
import { guestRoom } from '../memory/guest-memory.ts';
import { int, unsigned } from './arguments.ts';
import { directoryAt } from './paths.ts';
import type { SystemCalls } from './system-call.ts';
import { writeDirectoryEntries } from './write-directory-entries.ts';

function enter(task: Task, directory: DirectoryInode): number {
  requireAccess(directory, task.process.credentials, 1);
  task.process.folder = directory;
  return 0;
}

/** System calls on folders, by their names in Linux. */
export const directoryCalls: SystemCalls = {
  getdents64: (task, [number, buffer, size]) => {
    const file = task.process.descriptors.get(int(number));
    if (!isDirectoryFile(file)) throw new LinuxError(errno.notDirectory);
    if (file.inode.removed === true) throw new LinuxError(errno.noEntry);
    const room = guestRoom(task.memory, buffer, Math.min(unsigned(size), 1024 * 1024));
    return writeDirectoryEntries(room, file);
  },
  getcwd: (task, [buffer, size]) => {
    const path = pathOf(task.process.folder, task.process.root);
    if (path === undefined) throw new LinuxError(errno.noEntry);
    const bytes = bytesOf(`${path}\0`);
    if (BigInt(bytes.length) > size) throw new LinuxError(errno.range);
    guestRoom(task.memory, buffer, bytes.length).set(bytes);
    return bytes.length;
  },
  chdir: (task, [path]) => enter(task, directoryAt(task, { folder: -100n, path })),
  fchdir: (task, [number]) => {
    const { inode } = task.process.descriptors.get(int(number));
    if (inode.kind !== 'directory') throw new LinuxError(errno.notDirectory);
    return enter(task, inode);
  },
  chroot: (task, [path]) => {
    const directory = directoryAt(task, { folder: -100n, path });
    if (task.process.credentials.uid !== 0) throw new LinuxError(errno.notPermitted);
    task.process.root = directory;
    return 0;
  },
};
