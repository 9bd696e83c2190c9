import { createServer } from 'node:http';
import type { PeerCertificate } from 'node:tls';
import { collectBytes, isTaplineError } from '@tapline/base';
import type { HttpMessage } from '@tapline/client';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectedPair, type SessionPair } from '../testing/session-pair.ts';
import { TunnelSocket } from '../tunnel/tunnel-socket.ts';
import { createBodyReader } from './body-reader.ts';
import { ByteReader } from './byte-reader.ts';
import { parseAnswerHead } from './parse-answer-head.ts';
import { sendOnStream } from './send-on-stream.ts';

const certificate = { subject: { CN: 'd1' } } as unknown as PeerCertificate;
const http = createServer((request, response) => {
  if (request.url === '/echo') request.pipe(response);
  else if (request.url === '/sized') response.setHeader('content-length', 3).end('abc');
  else if (request.url === '/none') response.writeHead(204).end();
  else if (request.url === '/cut') response.write('half', () => response.destroy());
  else response.write('first\n');
});

let pair: SessionPair;
beforeEach(async () => {
  pair = await connectedPair();
  pair.server.onStream((stream) => {
    http.emit('connection', new TunnelSocket(stream, { authorized: true, certificate }));
  });
});
afterEach(() => pair[Symbol.dispose]());

function send(path: string, more: Partial<HttpMessage> = {}): ReturnType<typeof sendOnStream> {
  const stream = pair.client.open({ class: 'bulk', name: 'http' });
  return sendOnStream(stream, { method: 'GET', host: 'api', path, headers: {}, ...more });
}

function all(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return collectBytes(body, { maxBytes: 1e8, tooLarge: () => new Error('too large') });
}

test("asks Node's server, whichever way it says where the body ends", async () => {
  const sent = crypto.getRandomValues(new Uint8Array(50_000));
  const echo = await send('/echo', { method: 'POST', body: sent, headers: { 'x-a': 'b' } });
  expect(echo).toMatchObject({ status: 200, headers: { 'transfer-encoding': 'chunked' } });
  expect(await all(echo.body)).toEqual(sent);
  expect(new TextDecoder().decode(await all((await send('/sized')).body))).toBe('abc');
  const none = await send('/none');
  expect(none.status).toBe(204);
  expect(await all(none.body)).toHaveLength(0);
  const head = await send('/sized', { method: 'HEAD' });
  expect(head.headers['content-length']).toBe('3');
  expect(await all(head.body)).toHaveLength(0);
});

test('hears what comes bit by bit, and ends it at the server', async () => {
  const ending = new AbortController();
  const watch = await send('/watch', { signal: ending.signal });
  const parts = watch.body[Symbol.asyncIterator]();
  expect(new TextDecoder().decode((await parts.next()).value as Uint8Array)).toBe('first\n');
  ending.abort(new Error('enough'));
  await expect(parts.next()).rejects.toThrow('enough');
});

test('says when an answer is cut, and when the tunnel ends', async () => {
  const cut = send('/cut').then(({ body }) => all(body));
  await expect(cut).rejects.toMatchObject({ code: 'unavailable' });
  const watch = await send('/watch');
  pair.client.close();
  await expect(all(watch.body)).rejects.toMatchObject({ code: 'unavailable' });
});

test('sends no head that a name or value could break up', async () => {
  const breaking = send('/', { headers: { a: 'b\r\ncontent-length: 9' } });
  await expect(breaking).rejects.toMatchObject({ code: 'bad_request' });
});

/** What an answer that is these bytes, in pieces of `step`, comes to. */
async function outcomeOf(bytes: Uint8Array, step: number): Promise<string> {
  let at = 0;
  const reader = new ByteReader({
    read: () => Promise.resolve(at < bytes.length ? bytes.subarray(at, (at += step)) : undefined),
  });
  try {
    const { headers } = parseAnswerHead(await reader.until('\r\n\r\n', 1000));
    await all(createBodyReader(reader, { headers, isEmpty: false }));
    return 'read';
  } catch (error) {
    return isTaplineError(error) ? error.code : String(error);
  }
}

test('whatever comes as an answer, it is parsed, or refused with a code', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      '\r\n',
      'content-length: 3\r\n',
      '3\r\nabc\r\n',
      '0\r\n',
    ),
    fc.constant('transfer-encoding: chunked\r\n'),
    fc.string({ maxLength: 12 }),
  );
  const answer = fc.array(piece, { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(answer, fc.integer({ min: 1, max: 9 }), async (pieces, step) => {
      const outcome = await outcomeOf(new TextEncoder().encode(pieces.join('')), step);
      expect(['read', 'unexpected_answer', 'unavailable']).toContain(outcome);
    }),
    { numRuns: 300 },
  );
});
