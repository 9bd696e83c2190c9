import { execFile } from 'node:child_process';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  checkUpdate,
  formatMediaPlaylist,
  liveEdge,
  mediaUrls,
  type MediaPlaylist,
  playlistSeconds,
  validatePlaylist,
} from '@tapline/hls';
import { haveProgram, startProcess, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { encodeStream, streams } from './encode-stream.ts';

const run = promisify(execFile);
const missing = haveProgram('ffmpeg') && haveProgram('ffprobe') ? '' : '(needs ffmpeg)';

async function readMedia(path: string): Promise<MediaPlaylist> {
  const { playlist, findings } = validatePlaylist(await readFile(path));
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  if (playlist.kind !== 'media') throw new Error('not a media playlist');
  return playlist;
}

interface Probed {
  readonly duration: number;
  readonly packets: number;
}

/** What ffprobe reads when it plays the playlist to its end. */
async function probe(path: string): Promise<Probed> {
  const about = ['-show_entries', 'stream=nb_read_packets:format=duration', '-of', 'json'];
  const files = ['-allowed_extensions', 'ALL', '-count_packets', ...about];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...files, path], { timeout: 30_000 });
  const report = JSON.parse(stdout) as {
    readonly streams: readonly { readonly nb_read_packets?: string }[];
    readonly format: { readonly duration?: string };
  };
  return {
    duration: Number(report.format.duration ?? 0),
    packets: report.streams.reduce((sum, one) => sum + Number(one.nb_read_packets ?? 0), 0),
  };
}

describe.skipIf(missing !== '')(`FFmpeg makes and plays it ${missing}`, () => {
  test.each(Object.keys(streams))('%s: what we write plays as what was made', async (name) => {
    await using folder = await temporaryFolder();
    const path = await encodeStream(folder.path, name);
    const playlist = await readMedia(path);
    const own = join(folder.path, 'own.m3u8');
    // Where a playlist has no end, a player would wait for more.
    await writeFile(own, formatMediaPlaylist({ ...playlist, ended: true }));
    if (!playlist.ended) await appendFile(path, '#EXT-X-ENDLIST\n');
    const played = await probe(own);
    expect(played).toEqual(await probe(path));
    expect(played.packets).toBeGreaterThan(playlist.segments.length * 10);
    expect(played.duration).toBeCloseTo(playlistSeconds(playlist), 1);
    const base = 'http://edge.example/';
    const { urls, elsewhere } = mediaUrls(playlist, base);
    expect(elsewhere).toEqual([]);
    for (const { url, byteRange } of urls) {
      const { size } = await stat(join(folder.path, url.slice(base.length)));
      expect(size).toBeGreaterThanOrEqual((byteRange?.offset ?? 0) + (byteRange?.length ?? 1));
    }
  });

  test('a live stream, version after version, is by the rules', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'live.m3u8');
    const source = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=64x36:rate=10', '-t', '30'];
    const how = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-f', 'hls'];
    const live = ['-hls_time', '1', '-hls_list_size', '3', '-hls_flags', 'temp_file'];
    const quiet = ['-v', 'error', '-nostdin'];
    await using encoder = await startProcess('ffmpeg', [
      ...quiet,
      ...source,
      ...how,
      ...live,
      path,
    ]);
    const versions: MediaPlaylist[] = [];
    const deadline = Date.now() + 25_000;
    while (versions.length < 5 && Date.now() < deadline) {
      await delay(100);
      if (await isMissing(path)) continue;
      const playlist = await readMedia(path);
      if (lastMsn(versions.at(-1)) !== lastMsn(playlist)) versions.push(playlist);
    }
    const updates = versions
      .slice(1)
      .flatMap((newer, index) => checkUpdate(versions[index] ?? newer, newer));
    expect(updates, encoder.output()).toEqual([]);
    expect(versions.at(-1)?.mediaSequence).toBeGreaterThan(0);
  });
});

function lastMsn(playlist: MediaPlaylist | undefined): number {
  return playlist === undefined ? -1 : liveEdge(playlist).lastMsn;
}

async function isMissing(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) === undefined;
}
