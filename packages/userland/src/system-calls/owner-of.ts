import type { Place } from '../files/resolve-path.ts';
import type { Task } from '../kernel/task.ts';

/** Whose a new file is: with set-group-id of the folder, its group's. */
export function ownerOf(
  task: Task,
  { parent }: Place,
  mode: number,
): { readonly mode: number; readonly uid: number; readonly gid: number } {
  const { credentials, umask } = task.process;
  const inherits = (parent.mode & 0o2000) !== 0;
  const { uid } = credentials;
  return {
    mode: mode & 0o7777 & ~umask,
    uid,
    gid: inherits ? parent.gid : credentials.gid,
  };
}
