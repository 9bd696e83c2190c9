import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStateReader } from './state-reader.ts';

const entry = fc.record(
  {
    dev: fc.constantFrom('tv7000', 'tp[{,"\\', 'a":[', '€'),
    mac: fc.constantFrom('02:00', ''),
    flags: fc.array(fc.constantFrom(1, 2, 'x'), { maxLength: 2 }),
  },
  { requiredKeys: ['dev'] },
);
const state = fc.record({
  links: fc.array(entry, { maxLength: 4 }),
  fdb: fc.array(entry, { maxLength: 6 }),
  names: fc.array(fc.constantFrom('a', 'b', ']')),
  nft: fc.record({ tables: fc.array(entry, { maxLength: 2 }) }),
  vnis: fc.array(fc.array(fc.nat(3), { maxLength: 2 }), { maxLength: 3 }),
});

test('whatever comes after whatever, it is what the text says', () => {
  fc.assert(
    fc.property(fc.array(state, { maxLength: 6 }), (list) => {
      const read = createStateReader();
      for (const one of list) {
        const text = JSON.stringify(one);
        expect(JSON.stringify(read(text))).toBe(text);
      }
    }),
    { numRuns: 500 },
  );
});

test('what one entry less leaves is the same objects, and so are all other lists', () => {
  const read = createStateReader();
  const make = (list: readonly number[]) =>
    JSON.stringify({
      links: [{ name: 'a' }],
      fdb: list.map((number) => ({ mac: `02:${number}` })),
      ends: [{ name: 'z' }],
    });
  const whole = read(make([1, 2, 3, 4]));
  expect(read(make([1, 2, 3, 4]))).toBe(whole);
  const less = read(make([1, 2, 4]));
  expect(less.links).toBe(whole.links);
  expect(less.ends).toBe(whole.ends);
  expect(less.fdb.map((one) => whole.fdb.indexOf(one))).toEqual([0, 1, 3]);
  const more = read(make([1, 2, 5, 4]));
  expect(more.fdb.map((one) => less.fdb.indexOf(one))).toEqual([0, 1, -1, 2]);
});

test('what is no JSON is refused as JSON is, and forgotten', () => {
  const read = createStateReader();
  const text = '{"links":[{"name":"a"}],"fdb":[]}';
  const { links } = read(text);
  for (const wrong of ['', text.slice(0, -1), text.replace('"a"', '"a'), text.replace('}]', '}')]) {
    expect(() => read(wrong)).toThrow(SyntaxError);
  }
  expect(read(text).links).toBe(links);
});
