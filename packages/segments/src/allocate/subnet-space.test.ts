import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressBits, formatSubnet, type Subnet, parseSubnet } from '../address/subnet.ts';
import { SubnetSpace } from './subnet-space.ts';

const order = 6;

/** A space of 64 addresses at the end of what the family has, and its model. */
function space(family: 4 | 6): { readonly space: SubnetSpace; readonly base: Subnet } {
  const bits = addressBits(family);
  const base = { family, value: (1n << BigInt(bits)) - 64n, length: bits - order };
  return { space: new SubnetSpace(base), base };
}

test('does what looking at every address does', () => {
  const action = fc.record({ cover: fc.boolean(), host: fc.nat(order), at: fc.nat(63) });
  fc.assert(
    fc.property(
      fc.constantFrom(4 as const, 6 as const),
      fc.array(action, { maxLength: 40 }),
      (family, actions) => {
        const { space: tested, base } = space(family);
        const taken = Array.from({ length: 64 }, () => false);
        const prefixAt = (first: number, host: number): Subnet => ({
          family,
          value: base.value + BigInt(first),
          length: addressBits(family) - host,
        });
        const isFree = (first: number, size: number): boolean =>
          taken.slice(first, first + size).every((one) => !one);
        for (const { cover, host, at } of actions) {
          const size = 2 ** host;
          const aligned = Math.floor(at / size) * size;
          expect(tested.isFree(prefixAt(aligned, host))).toBe(isFree(aligned, size));
          if (cover) {
            tested.cover(prefixAt(aligned, host));
            taken.fill(true, aligned, aligned + size);
            continue;
          }
          const starts = Array.from({ length: 64 / size }, (_, step) => step * size);
          const lowest = starts.find((first) => isFree(first, size));
          const got = tested.take(addressBits(family) - host);
          expect(got).toEqual(lowest === undefined ? undefined : prefixAt(lowest, host));
          if (lowest !== undefined) taken.fill(true, lowest, lowest + size);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('subnets come out of a prefix of any size, in order', () => {
  const tested = new SubnetSpace(parseSubnet('fd00::/8'));
  tested.cover(parseSubnet('fd00::/65'));
  expect(
    [64, 64, 126].map((length) => formatSubnet(tested.take(length) ?? parseSubnet('::/0'))),
  ).toEqual(['fd00:0:0:1::/64', 'fd00:0:0:2::/64', 'fd00::8000:0:0:0/126']);
  expect(tested.take(7)).toBeUndefined();
});

test('what is not of the space is let be, and what holds all of it fills it', () => {
  const tested = new SubnetSpace(parseSubnet('10.7.0.0/16'));
  tested.cover(parseSubnet('10.8.0.0/16'));
  tested.cover(parseSubnet('fd00::/8'));
  expect(tested.isFree(parseSubnet('10.8.0.0/24'))).toBe(false);
  expect(formatSubnet(tested.take(16) ?? parseSubnet('::/0'))).toBe('10.7.0.0/16');
  const other = new SubnetSpace(parseSubnet('10.7.0.0/16'));
  other.cover(parseSubnet('10.0.0.0/8'));
  expect(other.take(32)).toBeUndefined();
});
