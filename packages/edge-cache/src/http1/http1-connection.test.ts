import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startEdgeCache } from '../engine/start-edge-cache.ts';
import { startOrigin } from '../testing/start-origin.ts';

const clients = 4;
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 3, maxLength: 8 });

/** Two uploads and a download on one connection, the second sent ahead of the first's answer. */
function requestsOf(client: number): string {
  const upload = (number: number): string => {
    const body = `<${client}.${number}>`.repeat(30);
    return `PUT /${client} HTTP/1.1\r\nHost: edge\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const last = `GET /${client} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n`;
  return `${upload(1)}${upload(2)}${last}`;
}

test('what comes in pieces stays of its connection, though all read into one buffer', async () => {
  await using origin = await startOrigin(async (request, response) => {
    let body = '';
    request.setEncoding('latin1');
    for await (const chunk of request) body += String(chunk);
    response.setHeader('cache-control', 'no-store');
    response.end(`${request.method} ${request.url} ${body}`);
  });
  await using edge = await startEdgeCache({
    channels: [channelSettings({ name: 'c', origins: [origin.url] })],
  });
  const port = Number(new URL(edge.url).port);

  await fc.assert(
    fc.asyncProperty(fc.array(sizes, { minLength: clients, maxLength: clients }), async (cuts) => {
      const sending = cuts.map(async (lengths, client) => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        let got = '';
        socket.setEncoding('latin1');
        socket.on('data', (chunk: string) => (got += chunk));
        const closed = once(socket, 'close');
        await once(socket, 'connect');
        const text = requestsOf(client);
        let at = 0;
        for (let piece = 0; at < text.length; piece += 1) {
          const length = lengths[piece % lengths.length] ?? 1;
          socket.write(text.slice(at, at + length));
          at += length;
          // Lets the others send theirs in between.
          await new Promise((resolve) => void setImmediate(resolve));
        }
        await closed;
        return got;
      });
      for (const [client, got] of (await Promise.all(sending)).entries()) {
        for (const number of [1, 2]) {
          expect(got).toContain(`PUT /${client} ${`<${client}.${number}>`.repeat(30)}`);
        }
        expect(got).toContain(`GET /${client} `);
        expect(got.match(/HTTP\/1\.1 200 /g)).toHaveLength(3);
      }
    }),
    { numRuns: 12 },
  );
});
