import { readFile } from 'node:fs/promises';
import { TaplineError } from '@tapline/base';

/** The text of a file that a flag names; throws `usage` where it cannot be read. */
export async function readFileOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TaplineError('usage', `${path} cannot be read`, { cause });
  }
}
