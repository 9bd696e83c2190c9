import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeStream, encodeVariants, streams } from './encode-stream.ts';

/**
 * Writes the playlists that the installed FFmpeg makes to `interop/hls`, for machines without it.
 *
 *   node tests/hls/record-playlists.ts
 */
const target = join(import.meta.dirname, '../../interop/hls');
await mkdir(target, { recursive: true });
for (const name of Object.keys(streams)) {
  await record(name, (folder) => encodeStream(folder, name));
}
await record('variants', encodeVariants);

async function record(name: string, encode: (folder: string) => Promise<string>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'record-playlists-'));
  try {
    const playlist = await readFile(await encode(folder), 'utf8');
    await writeFile(join(target, `${name}.m3u8`), playlist);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
