import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@tapline/base';

/** An origin of one stream in three forms, whose live ones go on by the clock. */
export interface TimedOrigin extends AsyncDisposable {
  readonly url: string;
  /** How often each target was asked for. */
  readonly asked: ReadonlyMap<string, number>;
  /** Resolves when the low-latency stream's next segment has just become whole. */
  untilWholeSegment(): Promise<void>;
}

const partsEach = 4;
const windowSegments = 5;
const startSegments = 5;
const run = promisify(execFile);

/**
 * Encodes once with FFmpeg, in parts of half a second, and serves `/vod/main.m3u8`, `/live/main.m3u8`
 * and with parts, hints and blocking reloads `/ll/main.m3u8` (RFC 8216bis). A live stream begins with
 * some segments there already.
 */
export async function startTimedOrigin(init: {
  readonly folder: string;
  readonly seconds: number;
}): Promise<TimedOrigin> {
  const { folder, seconds } = init;
  const input = ['-f', 'lavfi', '-i', 'testsrc=size=160x90:rate=24'];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'baseline'];
  const codecs = [...video, '-pix_fmt', 'yuv420p', '-g', '12', '-keyint_min', '12', '-c:a', 'aac'];
  const hls = ['-f', 'hls', '-hls_time', '0.5', '-hls_list_size', '0'];
  const names = ['-hls_segment_type', 'fmp4', '-hls_segment_filename', 'p%d.m4s'];
  const output = ['-master_pl_name', 'main.m3u8', '-t', String(seconds), 'media.m3u8'];
  await run('ffmpeg', ['-v', 'error', ...input, ...sound, ...codecs, ...hls, ...names, ...output], {
    cwd: folder,
    timeout: 60_000,
  });
  const master = await readFile(join(folder, 'main.m3u8'), 'utf8');
  const listed = await readFile(join(folder, 'media.m3u8'), 'utf8');
  const durations = [...listed.matchAll(/#EXTINF:([\d.]+)/g)].map(([, text]) => Number(text));
  const whole = Math.floor(durations.length / partsEach);
  const times = durations.slice(0, whole * partsEach);
  const partCount = times.length;
  /** When a part is there, in seconds from the first. */
  const ends = times.map((_one, at) => times.slice(0, at + 1).reduce((sum, one) => sum + one, 0));
  const startSeconds = ends[startSegments * partsEach - 1] ?? 0;
  const fromMs = systemClock.monotonic();
  const asked = new Map<string, number>();
  const stopping = new AbortController();

  function partsThere(): number {
    const now = startSeconds + (systemClock.monotonic() - fromMs) / 1000;
    const next = ends.findIndex((end) => end > now);
    return next === -1 ? partCount : next;
  }

  async function untilThere(parts: number): Promise<void> {
    while (partsThere() < Math.min(parts, partCount)) {
      await systemClock.sleep(10, { signal: stopping.signal });
    }
  }

  const durationOf = (segment: number): number =>
    times.slice(segment * partsEach, (segment + 1) * partsEach).reduce((sum, one) => sum + one, 0);

  function media(kind: string): string {
    const there = kind === 'vod' ? partCount : partsThere();
    const segments = Math.floor(there / partsEach);
    const first = kind === 'vod' ? 0 : Math.max(0, segments - windowSegments);
    const low = kind === 'll';
    const target = Math.ceil(Math.max(...times.map((_one, at) => durationOf(Math.floor(at / 4)))));
    const partTarget = Math.max(...times);
    const lines = ['#EXTM3U', '#EXT-X-VERSION:9', `#EXT-X-TARGETDURATION:${target}`];
    if (low) {
      lines.push(
        `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${(partTarget * 3).toFixed(3)}`,
        `#EXT-X-PART-INF:PART-TARGET=${partTarget.toFixed(3)}`,
      );
    }
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${first}`, '#EXT-X-MAP:URI="init.mp4"');
    if (kind === 'vod') lines.push('#EXT-X-PLAYLIST-TYPE:VOD');
    const part = (at: number): string =>
      `#EXT-X-PART:DURATION=${(times[at] ?? 0).toFixed(3)},URI="p${at}.m4s",INDEPENDENT=YES`;
    for (let segment = first; segment < segments; segment += 1) {
      if (low && segment >= segments - 3) {
        for (let at = 0; at < partsEach; at += 1) lines.push(part(segment * partsEach + at));
      }
      lines.push(`#EXTINF:${durationOf(segment).toFixed(3)},`, `s${segment}.m4s`);
    }
    if (low) {
      for (let at = segments * partsEach; at < there; at += 1) lines.push(part(at));
      if (there < partCount) lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p${there}.m4s"`);
    }
    if (kind === 'vod' || there >= partCount) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  async function answer(target: string, response: ServerResponse): Promise<void> {
    const url = new URL(target, 'http://origin');
    const [, kind = '', file = ''] = url.pathname.split('/');
    const [, type, number = ''] = /^([sp])(\d+)\.m4s$/.exec(file) ?? [];
    if (file.endsWith('.m3u8')) {
      const sequence = url.searchParams.get('_HLS_msn');
      const part = url.searchParams.get('_HLS_part');
      if (kind === 'll' && sequence !== null) {
        const at = Number(sequence) * partsEach;
        await untilThere(part === null ? at + partsEach : at + Number(part) + 1);
      }
      response.setHeader('content-type', 'application/vnd.apple.mpegurl');
      response.end(file === 'main.m3u8' ? master : media(kind));
      return;
    }
    response.setHeader('content-type', 'video/mp4');
    response.setHeader('cache-control', 'max-age=3600');
    if (file === 'init.mp4') response.end(await readFile(join(folder, file)));
    else if (type === 'p') {
      // A hint may be asked for before it is there (§6.2.6).
      if (kind !== 'vod') await untilThere(Number(number) + 1);
      response.end(await readFile(join(folder, `p${number}.m4s`)));
    } else if (type === 's') {
      const first = Number(number) * partsEach;
      const all = Array.from({ length: partsEach }, (_none, at) => `p${first + at}.m4s`);
      const read = all.map((name) => readFile(join(folder, name)));
      response.end(Buffer.concat(await Promise.all(read)));
    } else {
      response.statusCode = 404;
      response.end();
    }
  }

  const server = createServer((request, response) => {
    const target = request.url ?? '/';
    asked.set(target, (asked.get(target) ?? 0) + 1);
    answer(target, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked,
    untilWholeSegment: () => untilThere((Math.floor(partsThere() / partsEach) + 1) * partsEach),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
