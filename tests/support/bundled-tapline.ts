import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');

/**
 * What `./tapline` runs, made anew where a source is newer: a system of five processes starts in half
 * of the time that it takes from the sources.
 */
export async function bundledTapline(): Promise<string> {
  await promisify(execFile)(process.execPath, [join(root, 'tools/build.ts')]);
  return join(root, 'dist/tapline/main.js');
}
