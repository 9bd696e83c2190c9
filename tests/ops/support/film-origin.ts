import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An origin of films: `/NAME/main.m3u8` and its segments, each the same for an hour. */
export interface FilmOrigin extends AsyncDisposable {
  readonly url: string;
  /** How long it takes for each answer. */
  delayMs: number;
}

const bytes = Buffer.alloc(2048, 'film');

export async function startFilmOrigin(segments: number): Promise<FilmOrigin> {
  const listed = Array.from({ length: segments }, (_, at) => `#EXTINF:2,\ns${at}.ts\n`).join('');
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${listed}#EXT-X-ENDLIST\n`;
  const origin = { delayMs: 0 };
  const server = createServer((request, response) => {
    const isPlaylist = request.url?.endsWith('.m3u8') === true;
    response.setHeader('cache-control', 'max-age=3600');
    setTimeout(() => response.end(isPlaylist ? playlist : bytes), origin.delayMs);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    get delayMs() {
      return origin.delayMs;
    },
    set delayMs(value) {
      origin.delayMs = value;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
