import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SmallOrigin extends AsyncDisposable {
  /** Of the multivariant playlist. */
  readonly url: string;
  /** How often each path was asked for. */
  readonly asked: ReadonlyMap<string, number>;
}

/** What a segment of it weighs. */
export const segmentBytes = 200_000;

const playlists: Readonly<Record<string, string>> = {
  '/tv/main.m3u8':
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.4d401f"\nlow/media.m3u8\n',
  '/tv/low/media.m3u8':
    '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n#EXTINF:4,\n1.ts\n#EXT-X-ENDLIST\n',
};

/** A film of two segments that no decoder would like: for what looks at requests and bytes only. */
export async function startSmallOrigin(): Promise<SmallOrigin> {
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.set(path, (asked.get(path) ?? 0) + 1);
    const playlist = playlists[path];
    response.setHeader('cache-control', 'max-age=600');
    if (playlist !== undefined) {
      response.setHeader('content-type', 'application/vnd.apple.mpegurl');
      response.end(playlist);
    } else response.end(Buffer.alloc(segmentBytes, path));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/tv/main.m3u8`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
