import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressSnappy } from './compress-snappy.ts';
import { decompressSnappy } from './decompress-snappy.ts';
import { joinSnappy } from './join-snappy.ts';

const maxBytes = 1 << 20;
const repetitive = fc
  .array(fc.constantFrom('tapline_', 'stage', 'instance', 'edge-1', '\0\0\0\0\0\0\0\0', 'x'), {
    maxLength: 400,
  })
  .map((words) => Buffer.from(words.join('')));

describe('Snappy', () => {
  test('what was compressed comes back, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 3000 }), repetitive), (bytes) => {
        const back = decompressSnappy(compressSnappy(bytes), { maxBytes });
        expect(Buffer.from(back).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  test('what repeats gets smaller, also over more than the window', () => {
    const bytes = Buffer.from('tapline_stage_duration_seconds_bucket '.repeat(4000));
    const packed = compressSnappy(bytes);
    expect(packed.length).toBeLessThan(bytes.length / 10);
    expect(Buffer.from(decompressSnappy(packed, { maxBytes })).equals(bytes)).toBe(true);
  });

  test('blocks of others are read: a vector with each kind of element', () => {
    // "Wikipedia" as a literal, a copy by one byte, one by two, one by four.
    const block = Buffer.from([
      18, 0x08, 0x61, 0x62, 0x63, 0x01, 0x03, 0x0e, 0x03, 0x00, 0x1b, 0x03, 0x00, 0x00, 0x00,
    ]);
    expect(Buffer.from(decompressSnappy(block, { maxBytes })).toString()).toBe(
      'abcabcabcabcabcabc',
    );
  });

  test('blocks joined are their bytes joined', () => {
    fc.assert(
      fc.property(fc.array(repetitive, { maxLength: 5 }), (all) => {
        const joined = joinSnappy(all.map((bytes) => compressSnappy(bytes)));
        expect(Buffer.from(decompressSnappy(joined, { maxBytes })).equals(Buffer.concat(all))).toBe(
          true,
        );
      }),
    );
  });

  test('anything else is refused, and never more than the limit is written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(sizeOrCode(bytes)).toSatisfy(
          (is: unknown) => is === 'snappy_invalid' || Number(is) <= 500,
        );
      }),
    );
    expect(() => decompressSnappy(compressSnappy(new Uint8Array(501)), { maxBytes: 500 })).toThrow(
      '501 bytes exceed 500',
    );
  });
});

/** How many bytes come out, or why none do. */
function sizeOrCode(bytes: Uint8Array): unknown {
  try {
    return decompressSnappy(bytes, { maxBytes: 500 }).length;
  } catch (error) {
    return isTaplineError(error) ? error.code : error;
  }
}
