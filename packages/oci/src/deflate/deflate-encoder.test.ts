import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeflateEncoder, deflateEnd } from './deflate-encoder.ts';
import { deflateCodeLengths } from './deflate-code-lengths.ts';

const encoder = new DeflateEncoder();

/** Bytes of a linear congruential generator, the same everywhere. */
function pseudoRandom(count: number, alphabet = 256): Uint8Array {
  const bytes = new Uint8Array(count);
  let state = 1;
  for (let at = 0; at < count; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = (state >>> 16) % alphabet;
  }
  return bytes;
}

function roundTrip(data: Uint8Array): Buffer {
  return inflateRawSync(Buffer.concat([encoder.encode(data), deflateEnd]));
}

test('whatever goes in comes out', () => {
  const words = fc.array(fc.constantFrom('usr/lib/', 'x86_64', '\0\0\0\0\0\0', 'a', 'bottle'));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 4000 }), words), (input) => {
      const data = input instanceof Uint8Array ? input : Buffer.from(input.join(''));
      expect(roundTrip(data).equals(data)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['nothing', new Uint8Array(0)],
  ['a byte', Uint8Array.of(7)],
  ['zeros', new Uint8Array(1_000_000)],
  ['noise, which is stored', pseudoRandom(300_000)],
  ['few symbols', pseudoRandom(300_000, 3)],
  ['many blocks', Buffer.from([...pseudoRandom(200_000, 60)].join(' '))],
  [
    'matches at the greatest distance',
    Buffer.concat([pseudoRandom(32_768), pseudoRandom(32_768), pseudoRandom(40_000)]),
  ],
])('%s', (_, data) => {
  expect(roundTrip(data).equals(data)).toBe(true);
});

test('what does not shrink grows by no more than headers', () => {
  expect(encoder.encode(pseudoRandom(1_000_000)).length).toBeLessThan(1_000_250);
  expect(encoder.encode(new Uint8Array(1_000_000)).length).toBeLessThan(2_000);
});

test('the bytes are those of every other machine', () => {
  const text = Buffer.from([...pseudoRandom(100_000, 100)].join(','));
  const data = Buffer.concat([pseudoRandom(70_000), text, new Uint8Array(50_000)]);
  const digest = createHash('sha256').update(encoder.encode(data)).digest('hex');
  // Changes with the encoder, and then compressorId has to change, too.
  expect(digest).toBe('e9995d27254c07efc28fdc29263192363885a6690d40a37fa075031f9e24aef5');
});

test('a code is complete and no length exceeds the limit', () => {
  const frequencies = fc.array(fc.nat({ max: 100_000 }), { minLength: 2, maxLength: 286 });
  fc.assert(
    fc.property(frequencies, fc.constantFrom(9, 12, 15), (list, limit) => {
      const lengths = deflateCodeLengths(Uint32Array.from(list), limit);
      expect(lengths.every((length, symbol) => length > 0 === (list[symbol] ?? 0) > 0)).toBe(true);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(limit);
      const share = lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** -length : 0), 0);
      // One symbol alone has a code of one bit, which leaves the other half free.
      const used = list.filter((frequency) => frequency > 0).length;
      expect(share).toBe(used > 1 ? 1 : used / 2);
    }),
  );
});

test('rare symbols of a skewed code are kept within the limit', () => {
  const skewed = Uint32Array.from({ length: 30 }, (_, at) => 2 ** at);
  expect(Math.max(...deflateCodeLengths(skewed, 12))).toBe(12);
});
