import { copyFile, stat, truncate } from 'node:fs/promises';
import { isSystemError } from '@tapline/base';

/**
 * Keeps a log that a running process appends to within bounds: beyond `maxBytes` it becomes
 * `<path>.1`, replacing the one before, and starts again. Lines written between copy and cut are
 * lost; the alternative, a process per container that reads its output, costs more than it saves.
 */
export async function boundLog(path: string, maxBytes: number): Promise<boolean> {
  try {
    if ((await stat(path)).size <= maxBytes) return false;
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
    return true;
  } catch (error) {
    // Removed with its container meanwhile.
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
