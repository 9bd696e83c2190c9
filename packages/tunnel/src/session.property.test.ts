import { seededRng } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TunnelPair } from './testing/tunnel-pair.ts';
import type { StreamClass } from './open-body.ts';
import type { Session } from './session.ts';
import type { TunnelStream } from './tunnel-types.ts';

/** What an adversary does between the two ends. */
type Step =
  | { readonly kind: 'open'; readonly by: number; readonly class: StreamClass }
  | { readonly kind: 'write'; readonly stream: number; readonly bytes: number }
  | { readonly kind: 'end'; readonly stream: number }
  | { readonly kind: 'read'; readonly stream: number }
  | { readonly kind: 'deliver'; readonly to: 'left' | 'right'; readonly bytes: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'wait'; readonly ms: number };

const index = fc.nat({ max: 7 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      by: fc.nat({ max: 1 }),
      class: fc.constantFrom<StreamClass>('control', 'interactive', 'bulk'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      stream: index,
      bytes: fc.nat({ max: 40_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), stream: index }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), stream: index }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      to: fc.constantFrom('left' as const, 'right' as const),
      bytes: fc.integer({ min: 1, max: 30_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'cut' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.integer({ min: 1, max: 200 }),
    }),
  },
);

/** One way of one stream: what was written, and how much of it was read, byte by byte the same. */
class Way {
  readonly #writer: TunnelStream;
  readonly #reader: TunnelStream;
  readonly #content: () => number;
  readonly #expected: () => number;
  written = 0;
  ended = false;
  read = 0;
  over = false;

  constructor(writer: TunnelStream, reader: TunnelStream, seed: number) {
    this.#writer = writer;
    this.#reader = reader;
    const content = seededRng(seed);
    const expected = seededRng(seed);
    this.#content = () => Math.floor(content() * 256);
    this.#expected = () => Math.floor(expected() * 256);
  }

  write(bytes: number): void {
    if (this.ended) return;
    this.#writer.write(Uint8Array.from({ length: bytes }, this.#content));
    this.written += bytes;
  }

  end(): void {
    this.ended = true;
    this.#writer.end();
  }

  /** Reads whatever comes, until the end. */
  async readSome(once: boolean): Promise<void> {
    while (!this.over) {
      const part = await this.#reader.read();
      if (part === undefined) this.over = true;
      else {
        for (const byte of part) if (byte !== this.#expected()) throw new Error('another byte');
        this.read += part.length;
      }
      if (once) return;
    }
  }
}

/** Small windows, so that every limit is met. */
const limits = {
  streamCredit: 8192,
  maxStreamCredit: 32_768,
  sessionCredit: 131_072,
  replayBytes: 65_536,
  maxStreams: 16,
};

async function play(steps: readonly Step[]): Promise<void> {
  const pair = new TunnelPair({ limits, reportBuffered: true });
  await pair.settle();
  const ends: readonly Session[] = [pair.client, pair.session];
  const opened: TunnelStream[] = [];
  const ways: Way[] = [];
  const reading = new Set<Promise<void>>();
  const failures: unknown[] = [];

  for (const [at, end] of ends.entries()) {
    end.onStream((stream) => {
      const peer = opened.find(({ id }) => id === stream.id);
      if (peer === undefined) throw new Error(`stream ${stream.id} opened by nobody (${at})`);
      ways.push(new Way(peer, stream, stream.id), new Way(stream, peer, stream.id + 1000));
    });
  }
  const way = (wanted: number): Way | undefined => ways[wanted % Math.max(ways.length, 1)];
  const read = (from: Way | undefined, once: boolean): void => {
    if (from === undefined || (once && reading.size > 0)) return;
    const work = from
      .readSome(once)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => reading.delete(work));
    reading.add(work);
  };

  for (const one of steps) {
    switch (one.kind) {
      case 'open': {
        if (opened.length >= 6) break;
        const session = ends[one.by];
        if (session !== undefined) opened.push(session.open({ class: one.class, name: 's' }));
        break;
      }
      case 'write':
        way(one.stream)?.write(one.bytes);
        break;
      case 'end':
        way(one.stream)?.end();
        break;
      case 'read':
        read(way(one.stream), true);
        break;
      case 'deliver':
        pair.pipe.deliver(one.to, one.bytes);
        break;
      case 'cut':
        pair.pipe.cut();
        pair.connect();
        break;
      case 'wait':
        await pair.clock.advance(one.ms);
    }
    for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
  }
  // From here on nothing is lost, and everybody reads.
  await pair.settle();
  for (const one of ways) {
    one.end();
    read(one, false);
  }
  for (let round = 0; round < 200 && ways.some(({ over }) => !over); round += 1) {
    await pair.settle();
    await pair.clock.advance(60);
  }
  expect(failures).toEqual([]);
  expect(ways.filter((one) => !one.over || one.read !== one.written)).toEqual([]);
  expect(ends.map((end) => [end.closed.aborted, end.stats().streams])).toEqual([
    [false, 0],
    [false, 0],
  ]);
  expect(pair.sessions).toHaveLength(1);
  await pair.settle();
  await pair.clock.advance(60);
  await pair.settle();
  expect(ends.map((end) => end.stats().unacknowledgedBytes)).toEqual([0, 0]);
}

test('whatever is cut, split and late, all bytes arrive once and in order', async () => {
  const numRuns = Number(process.env['TAPLINE_TUNNEL_RUNS'] ?? 60);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), play),
    { numRuns },
  );
});
