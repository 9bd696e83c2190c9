import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Ways to have FFmpeg make an HLS stream; each is a vector in `interop/hls`. */
export const streams: Readonly<Record<string, readonly string[]>> = {
  vod: ['-hls_playlist_type', 'vod'],
  // A window of three segments that has moved on, as a live encoder leaves it.
  live: ['-hls_list_size', '3', '-hls_flags', 'delete_segments+omit_endlist+program_date_time'],
  fmp4: ['-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
  ranges: [
    '-hls_playlist_type',
    'event',
    '-hls_segment_type',
    'fmp4',
    '-hls_flags',
    'single_file+independent_segments',
  ],
  encrypted: ['-hls_playlist_type', 'vod', '-hls_key_info_file', 'key.info'],
};

const video = ['-f', 'lavfi', '-i', 'testsrc=size=64x36:rate=10'];
const audio = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=8000'];
const codecs = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-g',
  '10',
  '-c:a',
  'aac',
  '-b:a',
  '16k',
];

/** Encodes five seconds into `folder`/live.m3u8. */
export async function encodeStream(folder: string, name: string): Promise<string> {
  if (name === 'encrypted') {
    await writeFile(join(folder, 'secret.key'), Buffer.alloc(16, 7));
    await writeFile(
      join(folder, 'key.info'),
      'secret.key\nsecret.key\n0123456789abcdef0123456789abcdef\n',
    );
  }
  const how = [...codecs, '-t', '5', '-f', 'hls', '-hls_time', '1', ...(streams[name] ?? [])];
  await ffmpeg(folder, [...video, ...audio, ...how, 'live.m3u8']);
  return join(folder, 'live.m3u8');
}

/** Two variants with one group of sound: `folder`/master.m3u8. */
export async function encodeVariants(folder: string): Promise<string> {
  const maps = ['-map', '0:v', '-map', '0:v', '-map', '1:a'];
  const how = ['-t', '2', '-f', 'hls', '-hls_time', '1', '-hls_playlist_type', 'vod'];
  const streamMap = 'v:0,agroup:sound v:1,agroup:sound a:0,agroup:sound,default:yes,language:en';
  const rates = ['-b:v:0', '60k', '-b:v:1', '30k'];
  const outputs = ['-var_stream_map', streamMap, '-master_pl_name', 'master.m3u8', 'v%v.m3u8'];
  await ffmpeg(folder, [...video, ...audio, ...maps, ...codecs, ...rates, ...how, ...outputs]);
  return join(folder, 'master.m3u8');
}

async function ffmpeg(folder: string, args: readonly string[]): Promise<void> {
  // One thread, so that what is written is the same on every machine.
  await run('ffmpeg', ['-v', 'error', '-threads', '1', ...args], { cwd: folder, timeout: 30_000 });
}
