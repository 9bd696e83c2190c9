import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock, silentLog } from '@tapline/base';
import { createHttpTransport } from '@tapline/registry';
import type { Span } from '@tapline/telemetry';
import { eventually } from '@tapline/testing';
import { afterEach, expect, test } from 'vitest';
import { createSpanExporter, type SpanExporter } from './span-exporter.ts';

let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

interface Trial {
  readonly exporter: SpanExporter;
  readonly clock: ManualClock;
  readonly asked: () => number;
  readonly counts: Readonly<Record<'exported' | 'dropped', number>>;
}

/** A collector that answers each request as it is told, or not at all. */
async function start(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<Trial> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume().on('end', () => answer(response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const counts = { exported: 0, dropped: 0 };
  const clock = new ManualClock();
  const { port } = server.address() as AddressInfo;
  const exporter = createSpanExporter({
    configuration: { url: `http://127.0.0.1:${port}/v1/traces`, token: 'secret' },
    transport: opened.use(createHttpTransport()),
    metrics: {
      request() {},
      samples() {},
      source() {},
      spans: (outcome, count) => void (counts[outcome] += count),
    },
    clock,
    log: silentLog,
  });
  return { exporter, clock, asked: () => requests, counts };
}

function spans(count: number): readonly Span[] {
  return Array.from({ length: count }, (_, at) => ({
    traceId: '1'.repeat(32),
    spanId: `${at}`.padStart(16, '0'),
    name: 'built',
    startMs: 0,
    endMs: 1,
    attributes: {},
  }));
}

/** Lets the exporter come to its next sleep, and that one be over. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  await eventually('it sleeps', () => Promise.resolve(clock.pending > 0));
  await clock.advance(ms);
}

test('what comes within a second goes together, with the token', async () => {
  const tokens: unknown[] = [];
  const { exporter, clock, asked, counts } = await start((response, request) => {
    tokens.push(request.headers.authorization);
    response.end('{}');
  });
  await using _ = exporter;
  exporter.export(spans(2), { 'service.name': 'a' });
  exporter.export(spans(1), { 'service.name': 'b' });
  await pass(clock, 1000);
  await eventually('all are taken', () => Promise.resolve(counts.exported === 3));
  expect([asked(), tokens]).toEqual([1, ['Bearer secret']]);
});

test('a collector that is away is asked again, one that refuses is not', async () => {
  let status = 503;
  const { exporter, clock, asked, counts } = await start((response) => {
    response.writeHead(status).end();
  });
  await using _ = exporter;
  exporter.export(spans(1), {});
  await pass(clock, 1000);
  await eventually('it was asked', () => Promise.resolve(asked() === 1));
  status = 200;
  await pass(clock, 1000);
  await eventually('it has it', () => Promise.resolve(counts.exported === 1));
  status = 400;
  exporter.export(spans(1), {});
  await pass(clock, 1000);
  await eventually('it is dropped', () => Promise.resolve(counts.dropped === 1));
  expect(asked()).toBe(3);
});

test('more than ten thousand do not wait', async () => {
  const { exporter, clock, counts } = await start((response) => response.end('{}'));
  await using _ = exporter;
  exporter.export(spans(10_001), {});
  expect(counts.dropped).toBe(1);
  await pass(clock, 1000);
  await eventually('the rest is taken', () => Promise.resolve(counts.exported === 10_000));
});

test('a collector that hangs does not hold up the end of the control plane', async () => {
  const { exporter, clock, asked, counts } = await start(() => undefined);
  exporter.export(spans(1200), {});
  await pass(clock, 1000);
  await eventually('it was asked', () => Promise.resolve(asked() === 1));
  const ended = exporter[Symbol.asyncDispose]();
  await pass(clock, 2000);
  await ended;
  expect(counts).toEqual({ exported: 0, dropped: 1200 });
});
