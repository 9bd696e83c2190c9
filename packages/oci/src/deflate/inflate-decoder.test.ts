import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompressedInput, type ReadBytes } from './compressed-input.ts';
import { DeflateEncoder, deflateEnd } from './deflate-encoder.ts';
import { InflateDecoder, type InflatedBlock } from './inflate-decoder.ts';

function readerOf(bytes: Uint8Array, atOnce = bytes.length): ReadBytes {
  let at = 0;
  return (into) => {
    const part = bytes.subarray(at, at + Math.min(atOnce, into.length));
    into.set(part);
    at += part.length;
    return part.length;
  };
}

interface Inflated {
  readonly bytes: Buffer;
  readonly blocks: readonly InflatedBlock[];
  /** What follows the stream. */
  readonly rest: Buffer;
}

function inflate(
  stream: Uint8Array,
  { atOnce = 1 << 20, bufferBytes = 4096, chunkBytes = 5000 } = {},
): Inflated {
  const input = new CompressedInput(readerOf(stream, atOnce), bufferBytes);
  const blocks: InflatedBlock[] = [];
  const decoder = new InflateDecoder(input, { chunkBytes, onBlock: (b) => void blocks.push(b) });
  const chunks: Buffer[] = [];
  for (let chunk = decoder.next(); chunk; chunk = decoder.next()) chunks.push(Buffer.from(chunk));
  input.align();
  return { bytes: Buffer.concat(chunks), blocks, rest: Buffer.from(input.take(1 << 20)) };
}

/** The bytes, or `refused`; whatever is thrown has a code. */
function outcome(stream: Uint8Array): Buffer | 'refused' {
  try {
    return inflate(stream).bytes;
  } catch (error) {
    if (!isTaplineError(error, 'deflate_corrupt')) throw error;
    return 'refused';
  }
}

function outcomeOfZlib(stream: Uint8Array): Buffer | 'refused' {
  try {
    return inflateRawSync(stream, { maxOutputLength: 4_000_000 });
  } catch {
    return 'refused';
  }
}

const words = fc.array(
  fc.oneof(
    fc.constantFrom('usr/lib/', 'x86_64-linux', '\0'.repeat(300), 'a', 'bottle', 'abc'),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  ),
  { maxLength: 3000 },
);
const content = fc
  .tuple(words, fc.integer({ min: 1, max: 30 }))
  .map(([parts, times]) => Buffer.from(parts.join('').repeat(times), 'latin1'));
const settings = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FILTERED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
});
const cuts = fc.record({
  atOnce: fc.integer({ min: 1, max: 9000 }),
  bufferBytes: fc.integer({ min: 8, max: 9000 }),
  chunkBytes: fc.integer({ min: 1, max: 70_000 }),
});

test('whatever zlib made comes out, however it comes in', () => {
  fc.assert(
    fc.property(content, settings, cuts, (data, how, cut) => {
      const stream = Buffer.concat([deflateRawSync(data, how), Buffer.from('rest')]);
      const { bytes, rest } = inflate(stream, cut);
      expect(bytes.equals(data)).toBe(true);
      expect(rest.toString()).toBe('rest');
    }),
    { numRuns: 150 },
  );
});

test('the bits of a block stand for its bytes, given those it reaches back to', () => {
  const encoder = new DeflateEncoder();
  fc.assert(
    fc.property(content, settings, (data, how) => {
      const stream = Buffer.concat([deflateRawSync(data, how), Buffer.alloc(8)]);
      for (const { start, end, reach, bitStart, bitEnd } of inflate(stream).blocks) {
        const piece = data.subarray(reach, end);
        const kept = { at: start - reach, length: end - start, bytes: stream };
        const encoded = encoder.encode(piece, [
          { ...kept, ranges: [{ from: bitStart, to: bitEnd }] },
        ]);
        expect(inflateRawSync(Buffer.concat([encoded, deflateEnd])).equals(piece)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test('what is damaged is refused where zlib refuses it, and is the same where zlib takes it', () => {
  const damage = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(content, settings, damage, fc.nat(), (data, how, changes, length) => {
      const whole = deflateRawSync(data.subarray(0, 2000), { ...how, windowBits: 15 });
      for (const [at, value] of changes) whole[at % whole.length] = value;
      const stream = length % 3 === 0 ? whole.subarray(0, length % whole.length) : whole;
      expect(outcome(stream)).toEqual(outcomeOfZlib(stream));
    }),
    { numRuns: 500 },
  );
});

test('noise is refused or decoded as zlib does it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (stream) => {
      expect(outcome(stream)).toEqual(outcomeOfZlib(stream));
    }),
    { numRuns: 2000 },
  );
});
