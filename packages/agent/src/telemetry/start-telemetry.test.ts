import { ManualClock, silentLog } from '@tapline/base';
import type { HttpTransport } from '@tapline/registry';
import { decompressSnappy } from '@tapline/telemetry';
import { expect, test } from 'vitest';
import { startTelemetry, type Telemetry } from './start-telemetry.ts';

/** A control plane that answers as it is told; undefined is that nobody is there. */
async function start(): Promise<{
  readonly clock: ManualClock;
  readonly telemetry: Telemetry;
  readonly got: string[];
  answer: number | undefined;
}> {
  const clock = new ManualClock();
  const got: string[] = [];
  const world = { clock, got, answer: 200 as number | undefined };
  const transport: HttpTransport = {
    send({ url, body }) {
      if (world.answer === undefined) return Promise.reject(new Error('there is no tunnel'));
      const bytes = body as Uint8Array;
      const text = url.pathname.endsWith('metrics')
        ? Buffer.from(decompressSnappy(bytes, { maxBytes: 10_000 })).toString('latin1')
        : Buffer.from(bytes).toString();
      got.push(/beat-\d+|pulled/.exec(text)?.[0] ?? '');
      const empty = { async *[Symbol.asyncIterator]() {}, destroy() {} };
      return Promise.resolve({ status: world.answer, headers: {}, body: empty });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  let beat = 0;
  const telemetry = await startTelemetry({
    device: 'edge-1',
    intervalMs: 1000,
    series: (atMs) => {
      beat += 1;
      return Promise.resolve([{ labels: { __name__: `beat-${beat}` }, value: beat, atMs }]);
    },
    transport: () => transport,
    url: 'http://metrics.tapline',
    clock,
    rng: () => 0,
    log: silentLog,
  });
  return Object.assign(world, { telemetry });
}

async function pass(world: { readonly clock: ManualClock }, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await new Promise((resolve) => setImmediate(resolve));
    await world.clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('what was measured while nobody was there comes later, in its order', async () => {
  const world = await start();
  await pass(world, 1500);
  expect(world.got).toEqual(['beat-1', 'beat-2']);
  world.answer = undefined;
  await pass(world, 2000);
  expect(world.got).toHaveLength(2);
  world.answer = 200;
  world.telemetry.connected();
  await pass(world, 500);
  expect(world.got.slice(0, 4)).toEqual(['beat-1', 'beat-2', 'beat-3', 'beat-4']);
  await world.telemetry[Symbol.asyncDispose]();
});

test('what is refused for good is not sent again, and what waits behind it is', async () => {
  const world = await start();
  world.answer = 400;
  await pass(world, 500);
  world.answer = 200;
  await pass(world, 1000);
  expect(world.got).toEqual(['beat-1', 'beat-2']);
  await world.telemetry[Symbol.asyncDispose]();
});

test('where nobody takes metrics none are sent for ten minutes; traces go on', async () => {
  const world = await start();
  world.answer = 404;
  await pass(world, 3000);
  expect(world.got).toEqual(['beat-1']);
  world.answer = 200;
  const span = { traceId: 'a', spanId: 'b', name: 'pulled', startMs: 0, endMs: 1, attributes: {} };
  world.telemetry.spans([span]);
  await pass(world, 500);
  expect(world.got).toEqual(['beat-1', 'pulled']);
  await pass(world, 600_000);
  expect(world.got.length).toBeGreaterThan(2);
  await world.telemetry[Symbol.asyncDispose]();
});
