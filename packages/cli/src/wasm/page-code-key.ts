import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '@tapline/base';

const file = 'page.key';

/**
 * The key that pages seal code with which they keep: of a folder, so that pages of later servers take
 * it; without one it ends with this server.
 */
export async function pageCodeKey(folder: string | undefined): Promise<string> {
  const fresh = randomBytes(32).toString('base64url');
  if (folder === undefined) return fresh;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, file);
  try {
    // Who comes first makes it.
    await writeFile(path, fresh, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    return await readFile(path, 'utf8');
  }
}
