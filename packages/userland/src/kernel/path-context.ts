import type { PathContext } from '../files/resolve-path.ts';
import type { DirectoryInode } from '../files/inode.ts';
import type { Task } from './task.ts';

/** Where a thread follows paths from: its process's folder, or another one. */
export function pathContext(task: Task, from?: DirectoryInode): PathContext {
  const { process } = task;
  return {
    root: process.root,
    from: from ?? process.folder,
    credentials: process.credentials,
    viewer: { pid: process.pid, tid: task.tid },
  };
}
