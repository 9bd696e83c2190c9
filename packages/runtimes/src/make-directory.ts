import { chmodSync, mkdirSync } from 'node:fs';

/** A directory that everybody may read and enter, whatever this process's umask. */
export function makeDirectory(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
}
