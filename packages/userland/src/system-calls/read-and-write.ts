import { errno, LinuxError } from '../errno.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';

/** Reads as the file says; what waits may not for O_NONBLOCK. */
export function readFile(task: Task, file: OpenFile, most: number): Uint8Array | Wait {
  if (file.read === undefined || (file.flags & openFlags.accessMode) === openFlags.writeOnly) {
    throw new LinuxError(errno.badDescriptor);
  }
  const bytes = file.read(task, most);
  if (bytes instanceof Wait && (file.flags & openFlags.nonBlock) !== 0) {
    throw new LinuxError(errno.again);
  }
  return bytes;
}

/** Writes all of it, and waits in between; without waiting, what goes. */
export function writeFile(task: Task, file: OpenFile, bytes: Uint8Array): number | Wait {
  if (file.write === undefined || (file.flags & openFlags.accessMode) === 0) {
    throw new LinuxError(errno.badDescriptor);
  }
  const { call } = task;
  let done = call?.done ?? 0;
  do {
    let taken: number | Wait;
    try {
      taken = file.write(task, bytes.subarray(done));
    } catch (error) {
      if (done > 0 && error instanceof LinuxError) return done;
      throw error;
    }
    if (taken instanceof Wait) {
      if ((file.flags & openFlags.nonBlock) === 0) return taken;
      if (done === 0) throw new LinuxError(errno.again);
      return done;
    }
    done += taken;
    if (call !== undefined) call.done = done;
  } while (done < bytes.length);
  return done;
}
