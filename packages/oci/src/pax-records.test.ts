import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodePaxRecords, parsePaxRecords } from './pax-records.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('reads the example of POSIX', () => {
  expect(parsePaxRecords(bytes('30 mtime=1321711775.972059463\n'))).toEqual(
    new Map([['mtime', bytes('1321711775.972059463')]]),
  );
});

test.each([
  'x',
  '5',
  '0 a=b\n',
  '5 a=b\n',
  '7 a=b\n',
  '6 a=bc',
  '5 ab\n',
  '4 =\n\n',
  '99999999999 a=b\n',
  '-6 a=b\n',
  '6 a=b\n6 c',
])('refuses %j', (text) => {
  expect(parsePaxRecords(bytes(text))).toBeUndefined();
});

test('any records come back, whatever the number of digits of their length', () => {
  const key = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes('='));
  const value = fc.uint8Array({ maxLength: 1100 });
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 5 }), (pairs) => {
      const records = new Map(pairs);
      expect(parsePaxRecords(encodePaxRecords(records))).toEqual(records);
    }),
    { numRuns: 300 },
  );
  for (let length = 0; length < 120; length += 1) {
    const records = new Map([['k', new Uint8Array(length)]]);
    expect(parsePaxRecords(encodePaxRecords(records))).toEqual(records);
  }
});
