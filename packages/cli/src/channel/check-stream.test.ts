import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { systemClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { checkStream } from './check-stream.ts';

const context = {
  clock: systemClock,
  signal: new AbortController().signal,
  timeoutMs: 10_000,
};

async function serve(handle: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A live low-latency rendition that holds requests until the next part is there. */
function lowLatency(parts: number): string {
  const list = Array.from(
    { length: parts },
    (_, index) => `#EXT-X-PART:DURATION=0.5,URI="p${index}.m4s"\n`,
  ).join('');
  return `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init.mp4"
#EXTINF:2,
s7.m4s
#EXTINF:2,
s8.m4s
#EXTINF:2,
s9.m4s
${list}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p${parts}.m4s"
`;
}

const master = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d401f"
live/low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS="avc1.4d401f"
gone.m3u8
`;

test('a stream with a live rendition and one that is gone', async () => {
  const asked: string[] = [];
  await using origin = await serve((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    if (url === '/master.m3u8') response.end(master);
    else if (url === '/live/low.m3u8') response.end(lowLatency(1));
    else if (url === '/live/low.m3u8?_HLS_msn=10&_HLS_part=1') {
      setTimeout(() => response.end(lowLatency(2)), 100);
    } else if (url.startsWith('/live/')) response.end('media');
    else response.writeHead(404).end();
  });
  const report = await checkStream(`${origin.url}/master.m3u8`, context);
  expect(report).toMatchObject({
    findings: [],
    renditions: [
      {
        url: `${origin.url}/live/low.m3u8`,
        kind: 'low-latency',
        segments: 3,
        seconds: 6,
        latencySeconds: 1.5,
        findings: [],
      },
      { url: `${origin.url}/gone.m3u8`, failure: `${origin.url}/gone.m3u8 answers 404` },
    ],
  });
  expect(report.renditions[0]?.failure).toBeUndefined();
  expect(report.renditions[0]?.reloadedMs).toBeGreaterThan(50);
  expect(asked).toEqual(expect.arrayContaining(['/live/init.mp4', '/live/s9.m4s']));
  expect(asked).not.toContain('/live/s8.m4s');
});

test('a segment that is not there, and a range that is cut short, are failures', async () => {
  const text = (range: string): string =>
    `#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:2\n${range}#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n`;
  await using origin = await serve((request, response) => {
    if (request.url === '/missing.m3u8') response.end(text(''));
    else if (request.url === '/range.m3u8') response.end(text('#EXT-X-BYTERANGE:10@0\n'));
    else if (request.headers.range === 'bytes=0-9') response.writeHead(206).end('short');
    else response.writeHead(404).end();
  });
  const missing = await checkStream(`${origin.url}/missing.m3u8`, context);
  expect(missing.renditions[0]?.failure).toBe(`${origin.url}/a.ts answers 404`);
  const range = await checkStream(`${origin.url}/range.m3u8`, context);
  expect(range.renditions[0]?.failure).toBe(`${origin.url}/a.ts gives 5 bytes of a range of 10`);
});

test('what is no stream is refused', async () => {
  await using origin = await serve((request, response) => {
    if (request.url === '/page') response.end('<html>');
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else if (request.url === '/endless') {
      const more = setInterval(() => response.write('#'.repeat(1_000_000)), 1);
      response.once('close', () => clearInterval(more));
    }
  });
  const check = (path: string, timeoutMs = 10_000): Promise<unknown> =>
    checkStream(`${origin.url}${path}`, { ...context, timeoutMs });
  await expect(check('/page')).rejects.toMatchObject({ code: 'playlist_invalid' });
  await expect(check('/loop')).rejects.toMatchObject({
    code: 'origin_failed',
    message: `${origin.url}/loop could not be fetched`,
  });
  await expect(check('/silent', 200)).rejects.toMatchObject({
    message: `${origin.url}/silent did not answer within 200 ms`,
  });
  await expect(check('/endless')).rejects.toMatchObject({
    message: `${origin.url}/endless: the answer exceeds 8388608 bytes`,
  });
});
