import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder } from '../../../tools/debian/cache-folder.ts';
import { findDebianMirror } from '../../../tools/debian/debian-mirror.ts';
import { runProgram } from '../../../tools/debian/run-program.ts';

/** What upstream published, as Debian keeps it. */
export interface DebianSource {
  /** Below the archive's `pool/main`. */
  readonly path: string;
  readonly sha256: string;
}

/** Fetches the source by apt's own downloader, which keeps what it has, and unpacks parts of it. */
export async function unpackSource(
  { path, sha256 }: DebianSource,
  to: { readonly folder: string; readonly parts: readonly string[] },
): Promise<void> {
  const cache = cacheFolder('debian');
  const file = join(cache, 'sources', basename(path));
  mkdirSync(join(cache, 'sources'), { recursive: true });
  const { uri } = await findDebianMirror();
  const address = `${uri.replace(/\/$/, '')}/pool/main/${path}`;
  const download = ['download-file', address, file, `SHA256:${sha256}`];
  await runProgram('/usr/lib/apt/apt-helper', download);
  mkdirSync(to.folder, { recursive: true });
  const inside = to.parts.map((part) => `*/${part}`);
  const strip = ['--strip-components=1', '--no-same-owner', '--wildcards'];
  await runProgram('tar', ['-xf', file, '-C', to.folder, ...strip, ...inside]);
}
