import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Clock, TaplineError } from '@tapline/base';

/** A stream that is made while it is watched, and its origin. */
export interface LiveStream extends AsyncDisposable {
  readonly url: string;
}

const startMs = 20_000;

/** Has FFmpeg make a clock and a tone, and serves them on loopback as any web server would. */
export async function startLiveStream(init: {
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<LiveStream> {
  const { folder, clock, signal } = init;
  await mkdir(folder);
  await using opened = new AsyncDisposableStack();
  const input = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25'];
  const sound = ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25'];
  const hls = ['-f', 'hls', '-hls_time', '1', '-hls_list_size', '8'];
  const kept = ['-hls_flags', 'delete_segments+independent_segments', '-hls_delete_threshold', '8'];
  const output = [...hls, ...kept, '-master_pl_name', 'main.m3u8', 'live.m3u8'];
  const child = spawn(
    'ffmpeg',
    ['-v', 'error', ...input, ...sound, ...video, '-c:a', 'aac', ...output],
    {
      cwd: folder,
      stdio: 'ignore',
    },
  );
  const exited = once(child, 'exit').catch(() => undefined);
  opened.defer(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    // Names that FFmpeg gives, and no others.
    const name = /^\/([a-z]+\d*\.(?:m3u8|ts))$/.exec(path)?.[1];
    if (name === undefined || !existsSync(join(folder, name))) {
      response.statusCode = 404;
      response.end();
      return;
    }
    const isPlaylist = name.endsWith('.m3u8');
    response.setHeader('content-type', isPlaylist ? 'application/vnd.apple.mpegurl' : 'video/mp2t');
    createReadStream(join(folder, name))
      .on('error', () => response.destroy())
      .pipe(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  opened.defer(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  const until = clock.monotonic() + startMs;
  while (!existsSync(join(folder, 'main.m3u8')) || !existsSync(join(folder, 'live3.ts'))) {
    if (clock.monotonic() > until || child.exitCode !== null) {
      throw new TaplineError('demo_failed', 'FFmpeg made no stream', {
        hint: 'look whether `ffmpeg -encoders` lists libx264',
      });
    }
    await clock.sleep(100, { signal });
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const owned = opened.move();
  return {
    url: `http://127.0.0.1:${port}/main.m3u8`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
