import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage } from '@tapline/base';
import { cacheFolder } from '../../tools/debian/cache-folder.ts';
import { openAptRoot } from '../../tools/debian/apt-root.ts';
import { unpackDebs } from '../../tools/debian/unpack-debs.ts';

export type Kubectl =
  | { readonly kind: 'found'; readonly path: string; readonly version: string }
  | { readonly kind: 'missing'; readonly reason: string };

/** Debian trixie's kubectl, unpacked into the cache: the same program on every machine. */
export async function findKubectl(): Promise<Kubectl> {
  try {
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const root = await openAptRoot({ suite: 'trixie', architecture });
    const [found] = await root.show(['kubectl']);
    if (found === undefined) return { kind: 'missing', reason: 'Debian trixie has no kubectl' };
    const folder = join(cacheFolder('kubectl'), `${found.version}-${architecture}`);
    const path = join(folder, 'usr/bin/kubectl');
    if (!existsSync(path)) await unpackInto(folder, await root.download([found]));
    return { kind: 'found', path, version: found.version };
  } catch (error) {
    return { kind: 'missing', reason: errorMessage(error).split('\n')[0] ?? 'unknown' };
  }
}

/** Several runs may unpack at once: each does so aside, and the first one's folder stays. */
async function unpackInto(folder: string, debs: readonly string[]): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const aside = await mkdtemp(`${folder}.`);
  await unpackDebs(debs, aside);
  try {
    await rename(aside, folder);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
