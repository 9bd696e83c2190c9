import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BlobStore } from '@tapline/registry';
import type { BuiltPlatform } from '../built-image.ts';

const run = promisify(execFile);

/**
 * Makes the root file system of an image below `directory`, with GNU tar and as the user that owns
 * its files (root). Kegs are unpacked once and linked into each root: many images share them.
 */
export async function layOutRoot(
  store: BlobStore,
  image: BuiltPlatform,
  directory: string,
): Promise<string> {
  const root = join(directory, 'roots', image.manifest.digest.slice('sha256:'.length));
  await mkdir(root, { recursive: true });
  for (const { digest, formula } of image.layers) {
    const blob = store.pathOf(digest);
    if (formula === undefined) {
      // Programs may write to what the link layer has.
      await run('tar', ['-xzpf', blob, '-C', root]);
      continue;
    }
    const keg = join(directory, 'kegs', digest.slice('sha256:'.length));
    if (!existsSync(keg)) {
      await mkdir(keg, { recursive: true });
      await run('tar', ['-xzpf', blob, '-C', keg]);
    }
    await run('cp', ['-al', `${keg}/.`, root]);
  }
  return root;
}
