import { haveProgram } from '@tapline/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPlists } from '../testing/read-plist.ts';
import { formatPlist } from './format-plist.ts';
import type { PlistDictionary, PlistValue } from './plist-value.ts';

// XML has no other control characters, and text is whole.
// eslint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const text = fc
  .string({ unit: 'grapheme' })
  .map((characters) => characters.replaceAll(forbidden, ''));
const value = fc.letrec<{ value: PlistValue; dictionary: PlistDictionary }>((tie) => ({
  dictionary: fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
    fc.uint8Array({ maxLength: 40 }),
    fc
      .integer({ min: -2_000_000_000, max: 4_000_000_000 })
      .map((seconds) => new Date(seconds * 1000)),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('dictionary'),
  ),
}));

/** The value as the reader says it. */
function plain(of: PlistValue): unknown {
  if (of instanceof Uint8Array) return { $data: Buffer.from(of).toString('hex') };
  if (of instanceof Date) return { $date: of.toISOString().replace('.000Z', 'Z') };
  if (Array.isArray(of)) return (of as readonly PlistValue[]).map(plain);
  // There is one zero in a property list.
  if (typeof of === 'number') return of === 0 ? 0 : of;
  if (typeof of !== 'object') return of;
  return Object.fromEntries(Object.entries(of).map(([key, member]) => [key, plain(member)]));
}

describe.skipIf(!haveProgram('python3'))(
  `plistlib ${haveProgram('python3') ? '' : '(needs python3)'}`,
  () => {
    test('reads what is written', () => {
      const samples = fc.sample(value.dictionary, 300);
      expect(readPlists(samples.map(formatPlist))).toEqual(samples.map(plain));
    });
  },
);

test.each<readonly [PlistDictionary, RegExp]>([
  [{ a: { b: ['x', '\u0001'] } }, /plist\.a\.b\[1\]: it has the character U\+0001/],
  [{ a: '\ud800' }, /plist\.a: it has the character U\+D800/],
  [{ '\u0000': 1 }, /U\+0000/],
  [{ a: Number.NaN }, /plist\.a: NaN is no number/],
  [{ a: 2 ** 60 }, /plist\.a: 1152921504606847000 exceeds 2\^53-1/],
  [{ a: new Date(Number.NaN) }, /plist\.a: it is no date/],
])('%o is refused', (root, message) => {
  expect(() => formatPlist(root)).toThrow(
    expect.objectContaining({ code: 'plist_invalid', message: expect.stringMatching(message) }),
  );
});
