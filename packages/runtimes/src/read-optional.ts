import { readFileSync } from 'node:fs';
import { isSystemError } from '@tapline/base';

/** The text of a file, or undefined where it does not exist (any more). */
export function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // ESRCH: the process ended between open and read.
    const absent = ['ENOENT', 'ESRCH', 'ENOTDIR'];
    if (absent.some((code) => isSystemError(error, code))) return undefined;
    throw error;
  }
}
