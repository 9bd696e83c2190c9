import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Before all tests: makes what `./tapline` runs anew where a source is newer. */
export async function setup(): Promise<void> {
  const build = join(import.meta.dirname, '../../tools/build.ts');
  await promisify(execFile)(process.execPath, [build]);
}
