import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameType, headerBytes, maxBodyBytes } from './frame.ts';
import { FrameDecoder, type FrameSink } from './frame-decoder.ts';
import { createPipe } from './testing/pipe.ts';
import { TunnelPair } from './testing/tunnel-pair.ts';
import { writeHeader } from './write-header.ts';

const numRuns = Number(process.env['TAPLINE_TUNNEL_RUNS'] ?? 300);

function frame(
  type: number,
  fields: { flags?: number; stream?: number; body?: Uint8Array },
): Uint8Array {
  const { flags = 0, stream = 0, body = new Uint8Array() } = fields;
  const bytes = new Uint8Array(headerBytes + body.length);
  bytes.set(body, writeHeader(bytes, 0, { type, flags, length: body.length, stream }));
  return bytes;
}

const type = fc.oneof(fc.constantFrom(...Object.values(FrameType)), fc.nat({ max: 255 }));
const anyFrame = fc
  .record({
    type,
    flags: fc.nat({ max: 3 }),
    stream: fc.oneof(fc.nat({ max: 6 }), fc.nat({ max: 0xffff_ffff })),
    body: fc.uint8Array({ maxLength: 64 }),
  })
  .map((fields) => frame(fields.type, fields));

/** Takes a decoder's calls down as text, with Data joined whatever way it was split. */
function recorder(): { readonly sink: FrameSink; readonly seen: string[] } {
  const seen: string[] = [];
  let data = '';
  return {
    seen,
    sink: {
      dataBegins: (stream, length) => {
        data = `data ${stream} ${length}:`;
      },
      dataPart: (_stream, part) => {
        data += Buffer.from(part).toString('hex');
      },
      dataEnds: (_stream, flags) => void seen.push(`${data} ${flags}`),
      frame: (kind, flags, stream, body) =>
        void seen.push(`${kind} ${flags} ${stream} ${Buffer.from(body).toString('hex')}`),
    },
  };
}

describe('a decoder', () => {
  test('sees the same frames however they are split', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }),
        (frames, cuts) => {
          const whole = recorder();
          const split = recorder();
          const bytes = Buffer.concat(frames);
          new FrameDecoder(whole.sink).push(bytes);
          const decoder = new FrameDecoder(split.sink);
          for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
            const end = offset + (cuts[turn % cuts.length] ?? 1);
            decoder.push(bytes.subarray(offset, end));
            offset = end;
          }
          expect(split.seen).toEqual(whole.seen);
          expect(whole.seen).toHaveLength(frames.length);
        },
      ),
      { numRuns },
    );
  });

  test('refuses a body that is too large before it has arrived', () => {
    const header = new Uint8Array(headerBytes);
    writeHeader(header, 0, { type: 0xc0, flags: 0, length: maxBodyBytes + 1, stream: 0 });
    expect(() => new FrameDecoder(recorder().sink).push(header)).toThrow('exceeds 16384');
  });
});

test('a session bears any frames after the greeting: it goes on, or closes with a code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 12 }), async (frames) => {
      const pair = new TunnelPair({ limits: { maxStreams: 4 } });
      await pair.settle();
      pair.session.onStream(() => undefined);
      for (const bytes of frames) pair.pipe.right.events?.receive(bytes);
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
      const { reason, aborted } = pair.session.closed;
      expect(!aborted || isTaplineError(reason)).toBe(true);
      expect(pair.session.stats().streams).toBeLessThanOrEqual(4);
    }),
    { numRuns },
  );
});

test('a server bears any first bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        fc
          .tuple(
            fc.constantFrom(FrameType.Hello, FrameType.Resume),
            fc.uint8Array({ maxLength: 40 }),
          )
          .map(([kind, rest]) =>
            frame(kind, { body: Buffer.concat([Buffer.from('TPLN\x01\x01'), rest]) }),
          ),
      ),
      async (bytes) => {
        const pair = new TunnelPair();
        const pipe = createPipe();
        const events = pair.server.accept(pipe.right, 'd2');
        events.receive(bytes);
        await pair.clock.advance(10_000);
        events.closed();
        expect(pair.sessions.length).toBeLessThanOrEqual(2);
      },
    ),
    { numRuns },
  );
});

describe('a peer that floods', () => {
  test('with streams has them refused, then the session closed', async () => {
    const pair = new TunnelPair({ limits: { maxStreams: 4 }, reportBuffered: true });
    await pair.settle();
    pair.session.onStream(() => undefined);
    const body = new Uint8Array(10);
    const before = pair.session.stats().sentBytes;
    for (let stream = 1; stream < 20_000; stream += 2) {
      pair.pipe.right.events?.receive(frame(FrameType.Open, { stream, body }));
    }
    // Nobody takes its answers: what waits for it stays bounded.
    expect(pair.session.closed.reason).toMatchObject({ code: 'tunnel_flood' });
    expect(pair.session.stats().sentBytes - before).toBeLessThan(1_048_576);
  });

  test('with data beyond its credit is closed', async () => {
    const pair = new TunnelPair();
    await pair.settle();
    pair.session.onStream(() => undefined);
    pair.pipe.right.events?.receive(frame(FrameType.Open, { stream: 1, body: new Uint8Array(10) }));
    const data = frame(FrameType.Data, { stream: 1, body: new Uint8Array(maxBodyBytes) });
    for (let sent = 0; sent < 6; sent += 1) pair.pipe.right.events?.receive(data);
    expect(pair.session.closed.reason).toMatchObject({ code: 'tunnel_credit_exceeded' });
  });

  test('with pings that nobody reads the answers of is closed', async () => {
    const pair = new TunnelPair({ reportBuffered: true });
    await pair.settle();
    const ping = frame(FrameType.Ping, { body: new Uint8Array(8) });
    for (let sent = 0; sent < 200_000 && !pair.session.closed.aborted; sent += 1) {
      pair.pipe.right.events?.receive(ping);
    }
    expect(pair.session.closed.reason).toMatchObject({ code: 'tunnel_flood' });
    expect(pair.pipe.waiting('left')).toBeLessThan(4 * 1_048_576);
  });
});
