import { createReadStream, createWriteStream } from 'node:fs';
import { stat, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { isSystemError } from '@tapline/base';

/**
 * Keeps a log that a running process appends to within bounds: beyond `maxBytes` its last `maxBytes`
 * become `<path>.1`, replacing what was there, and it starts again. Lines written between copy and
 * cut are lost; the alternative, a process per container that reads its output, costs more than it
 * saves.
 */
export async function boundLog(path: string, maxBytes: number): Promise<boolean> {
  try {
    const { size } = await stat(path);
    if (size <= maxBytes) return false;
    try {
      const newest = createReadStream(path, { start: size - maxBytes, end: size - 1 });
      await pipeline(newest, createWriteStream(`${path}.1`, { mode: 0o600 }));
    } finally {
      // Also where the disk has no room for the copy: the log may be what fills it.
      await truncate(path, 0);
    }
    return true;
  } catch (error) {
    // Removed with its container meanwhile.
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
