import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { openTestSource } from './testing/open-test-source.ts';
import { plannedBottle } from './testing/planned-bottle.ts';
import { startTestServer, type TestServer } from './testing/start-test-server.ts';
import { type BottleCache, createBottleCache } from './bottle-cache.ts';
import type { BuildEvent } from './build-event.ts';

const bytes = randomBytes(3_000_000);

interface Bench extends AsyncDisposable {
  readonly server: TestServer;
  readonly directory: string;
  readonly open: (attempts?: number) => BottleCache;
  readonly ranges: readonly (string | undefined)[];
}

/** A mirror that hands each answer, from `start` on, to `send`. */
async function startBench(
  send: (response: ServerResponse, start: number) => void,
  options: { readonly ranges?: boolean } = {},
): Promise<Bench> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const ranges: (string | undefined)[] = [];
  const server = stack.use(
    await startTestServer((request, response) => {
      const { range } = request.headers;
      ranges.push(range);
      const wanted = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
      const start = options.ranges === false ? 0 : wanted;
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': bytes.length - start,
        ...(start > 0 && {
          'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
        }),
      });
      send(response, start);
    }),
  );
  return {
    server,
    ranges,
    directory: folder.path,
    open: (attempts = 4) =>
      createBottleCache({
        source: stack.use(openTestSource({ attempts })).source,
        directory: folder.path,
        headers: () => ({}),
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Sends `count` bytes and cuts the connection. */
function breakOff(response: ServerResponse, start: number, count: number): void {
  response.write(bytes.subarray(start, start + count), () => response.destroy());
}

test('a bottle is fetched once, verified, and reported on', async () => {
  await using bench = await startBench((response) => response.end(bytes));
  const bottle = plannedBottle('jq', { url: bench.server.url, bytes });
  const cache = bench.open();
  const events: BuildEvent[] = [];
  const onEvent = (event: BuildEvent): void => void events.push(event);
  const [first, second] = await Promise.all([
    cache.fetch(bottle, { onEvent }),
    cache.fetch(bottle, { onEvent }),
  ]);
  expect(first).toBe(second);
  expect(await readFile(first)).toEqual(bytes);
  expect(await bench.open().fetch(bottle, {})).toBe(first);
  expect(bench.server.requests).toHaveLength(1);
  expect(events.at(-1)).toEqual({ kind: 'fetched', formula: 'jq', size: bytes.length });
  expect(events.some((event) => event.kind === 'fetching')).toBe(true);
});

test('a broken connection is continued, not repeated', async () => {
  let breaks = 2;
  await using bench = await startBench((response, start) => {
    breaks -= 1;
    if (breaks >= 0) breakOff(response, start, 1_000_000);
    else response.end(bytes.subarray(start));
  });
  const bottle = plannedBottle('jq', { url: bench.server.url, bytes });
  expect(await readFile(await bench.open().fetch(bottle, {}))).toEqual(bytes);
  expect(bench.ranges.length).toBe(3);
  expect(bench.ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
});

test('a later builder continues where an earlier one was aborted', async () => {
  await using bench = await startBench((response, start) => {
    if (start === 0) response.write(bytes.subarray(0, 2_000_000));
    else response.end(bytes.subarray(start));
  });
  const bottle = plannedBottle('jq', { url: bench.server.url, bytes });
  const abort = new AbortController();
  const aborted = bench.open().fetch(bottle, {
    signal: abort.signal,
    onEvent: () => abort.abort(new Error('stopped')),
  });
  await expect(aborted).rejects.toThrow('stopped');
  expect(await readFile(await bench.open().fetch(bottle, {}))).toEqual(bytes);
  expect(bench.ranges[1]).toMatch(/^bytes=1\d{6}-$/);
  expect(await readdir(join(bench.directory, 'sha256'))).toHaveLength(1);
});

test('a mirror without ranges is read from the start again', async () => {
  let breaks = 1;
  await using bench = await startBench(
    (response) => {
      breaks -= 1;
      if (breaks >= 0) breakOff(response, 0, 1_000_000);
      else response.end(bytes);
    },
    { ranges: false },
  );
  const bottle = plannedBottle('jq', { url: bench.server.url, bytes });
  expect(await readFile(await bench.open().fetch(bottle, {}))).toEqual(bytes);
});

test('a bottle that always ends early is truncated, and what came is kept', async () => {
  await using bench = await startBench((response, start) => {
    if (start === 0) breakOff(response, 0, 1_000_000);
    // The head of an answer arrives, and nothing of its body.
    else response.write('', () => response.destroy());
    response.flushHeaders();
  });
  const bottle = plannedBottle('jq', { url: bench.server.url, bytes });
  await expect(bench.open(3).fetch(bottle, {})).rejects.toMatchObject({
    code: 'bottle_truncated',
    details: { formula: 'jq', expected: bytes.length },
  });
  const [kept = ''] = await readdir(join(bench.directory, 'sha256'));
  expect(kept).toMatch(/\.part$/);
});

test('other bytes are refused, naming both digests, and are not kept', async () => {
  const wrong = Buffer.from(bytes);
  wrong[1_234_567] = (wrong[1_234_567] ?? 0) ^ 1;
  await using bench = await startBench((response) => response.end(wrong));
  const bottle = plannedBottle('jq', { url: bench.server.url, bytes });
  await expect(bench.open().fetch(bottle, {})).rejects.toMatchObject({
    code: 'digest_mismatch',
    details: {
      expected: bottle.digest,
      actual: plannedBottle('jq', { url: '', bytes: wrong }).digest,
    },
  });
  expect(await readdir(join(bench.directory, 'sha256'))).toEqual([]);
});

test('a bottle that the mirror lacks is named', async () => {
  await using folder = await temporaryFolder();
  await using server = await startTestServer((_, response) => response.writeHead(404).end());
  await using opened = openTestSource();
  const cache = createBottleCache({
    source: opened.source,
    directory: folder.path,
    headers: () => ({}),
  });
  const bottle = plannedBottle('jq', { url: server.url, bytes });
  await expect(cache.fetch(bottle, {})).rejects.toMatchObject({ code: 'bottle_not_found' });
  expect(await readdir(join(folder.path, 'sha256'))).toEqual([]);
});

test.each([
  [200, bytes.length],
  [403, 0],
  [405, 0],
])('a mirror that answers HEAD with %i says a size of %i', async (status, size) => {
  await using folder = await temporaryFolder();
  await using server = await startTestServer((_, response) =>
    response.writeHead(status, { 'content-length': bytes.length }).end(),
  );
  await using opened = openTestSource();
  const cache = createBottleCache({
    source: opened.source,
    directory: folder.path,
    headers: () => ({}),
  });
  const { size: _known, ...bottle } = plannedBottle('jq', { url: server.url, bytes });
  expect(await cache.sizeOf(bottle, {})).toBe(size);
  expect(server.requests).toEqual(['HEAD /']);
});
