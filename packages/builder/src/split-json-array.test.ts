import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitJsonArray } from './split-json-array.ts';

function elements(text: string): readonly unknown[] | undefined {
  const bytes = Buffer.from(text);
  return splitJsonArray(bytes)?.map(({ start, end }) =>
    JSON.parse(bytes.toString('utf8', start, end)),
  );
}

test('elements are those of the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(elements(` ${text}\n`)).toEqual(JSON.parse(text));
    }),
  );
});

test.each(['', '{}', '"[]"', '1', '[', '[[]', ']', '[]]', '[] 1', '["]', 'null'])(
  'what is no array is undefined: %j',
  (text) => {
    expect(splitJsonArray(Buffer.from(text))).toBeUndefined();
  },
);
