import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockExcerpts, type CommonBytes } from './block-excerpts.ts';
import { CompressedInput } from './compressed-input.ts';
import { DeflateEncoder, deflateEnd, type KeptBits } from './deflate-encoder.ts';
import { InflateDecoder, type InflatedBlock } from './inflate-decoder.ts';

const encoder = new DeflateEncoder();

function blocksOf(stream: Uint8Array): readonly InflatedBlock[] {
  const blocks: InflatedBlock[] = [];
  let at = 0;
  const read = (into: Uint8Array): number => {
    const part = stream.subarray(at, at + into.length);
    into.set(part);
    at += part.length;
    return part.length;
  };
  const decoder = new InflateDecoder(new CompressedInput(read), {
    onBlock: (block) => blocks.push(block),
  });
  while (decoder.next() !== undefined);
  return blocks;
}

function excerptsOf(
  stream: Uint8Array,
  piece: Uint8Array,
  common: readonly CommonBytes[],
): readonly KeptBits[] {
  const excerpts = new BlockExcerpts();
  const bytes = Buffer.concat([stream, Buffer.alloc(8)]);
  return blocksOf(stream).flatMap(({ start, end, bitStart, bitEnd }) => {
    const inBlock = common.filter(({ source, length }) => source < end && source + length > start);
    return excerpts.of({ bytes, bitStart, bitEnd, start }, piece, inBlock);
  });
}

function encoded(piece: Uint8Array, kept: readonly KeptBits[]): Buffer {
  return inflateRawSync(Buffer.concat([encoder.encode(piece, kept), deflateEnd]));
}

/** A file of tar's kind: a header that changes, and content that does not. */
const file = fc.record({
  words: fc.array(fc.constantFrom('usr/lib/', 'x86_64-linux', 'bottle ', 'keg', '\n', 'Cellar/'), {
    minLength: 1,
    maxLength: 400,
  }),
  times: fc.integer({ min: 1, max: 40 }),
  header: fc.integer({ min: 0, max: 600 }),
  grows: fc.integer({ min: -3, max: 3 }),
  isDropped: fc.boolean(),
});
const settings = fc.record({
  level: fc.integer({ min: 1, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_RLE),
});

test('a piece is what it was, however much of it is cut from blocks', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(file, { minLength: 1, maxLength: 12 }), settings, (files, how) => {
      const before: Buffer[] = [];
      const after: Buffer[] = [];
      const common: CommonBytes[] = [];
      let [source, at] = [0, 0];
      for (const { words, times, header, grows, isDropped } of files) {
        const content = Buffer.from(words.join('').repeat(times));
        before.push(Buffer.alloc(header, 'before'), content);
        source += header + content.length;
        if (isDropped) continue;
        const changed = Math.max(0, header + grows);
        after.push(Buffer.alloc(changed, 'after'), content);
        at += changed;
        common.push({ at, length: content.length, source: source - content.length });
        at += content.length;
      }
      const piece = Buffer.concat(after);
      const kept = excerptsOf(deflateRawSync(Buffer.concat(before), how), piece, common);
      for (const { length } of kept) taken += length;
      expect(encoded(piece, kept).equals(piece)).toBe(true);
    }),
    { numRuns: 60 },
  );
  expect(taken).toBeGreaterThan(20_000);
});

test('all but the changed bytes is taken, and what refers to them', () => {
  const text = Array.from({ length: 9000 }, (_, at) => `${(at * 7919) % 10_007} `).join('');
  const [head, rest] = [text.slice(0, 20_000), text.slice(20_000)];
  const stream = deflateRawSync(`${head}${'-'.repeat(512)}${rest}`, { level: 9 });
  const piece = Buffer.from(`${head}${'+'.repeat(512)}${rest}`);
  const kept = excerptsOf(stream, piece, [
    { at: 0, length: head.length, source: 0 },
    { at: head.length + 512, length: rest.length, source: head.length + 512 },
  ]);
  const sum = kept.reduce((total, { length }) => total + length, 0);
  expect(sum).toBeGreaterThan(piece.length - 2000);
  expect(encoded(piece, kept).equals(piece)).toBe(true);
});

test('a match whose source is not in the piece is not taken', () => {
  const text = Array.from({ length: 4000 }, (_, at) => `${(at * 7919) % 10_007} `).join('');
  // The second half is one match after the other with the first.
  const stream = deflateRawSync(text.slice(0, 16_000).repeat(2), { level: 9 });
  const piece = Buffer.from(text.slice(0, 16_000));
  expect(excerptsOf(stream, piece, [{ at: 0, length: 16_000, source: 16_000 }])).toEqual([]);
});
