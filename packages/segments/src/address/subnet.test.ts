import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressBits,
  formatSubnet,
  parseSubnet,
  subnetContains,
  subnetsOverlap,
} from './subnet.ts';

const family = fc.constantFrom(4 as const, 6 as const);

test('blocks contain and overlap as their addresses do', () => {
  fc.assert(
    fc.property(family, fc.nat(6), fc.nat(6), fc.nat(63), fc.nat(63), (kind, a, b, x, y) => {
      const bits = addressBits(kind);
      const block = (host: number, at: number): Parameters<typeof subnetContains>[0] => ({
        family: kind,
        value: BigInt((at >> host) << host),
        length: bits - host,
      });
      const members = (host: number, at: number): readonly number[] =>
        Array.from({ length: 1 << host }, (_, step) => ((at >> host) << host) + step);
      const [left, right] = [members(a, x), members(b, y)];
      expect(subnetsOverlap(block(a, x), block(b, y))).toBe(
        left.some((one) => right.includes(one)),
      );
      expect(subnetContains(block(a, x), block(b, y))).toBe(
        right.every((one) => left.includes(one)),
      );
      expect(parseSubnet(formatSubnet(block(a, x)))).toEqual(block(a, x));
    }),
  );
});

test.each([
  ['10.7.0.1/24', 'prefix_invalid', '10.7.0.1/24 has bits beyond its length'],
  ['10.7.0.0/33', 'prefix_invalid', 'prefix length 33 exceeds 32'],
  ['10.7.0.0', 'prefix_invalid', '"10.7.0.0" is no prefix such as 10.7.0.0/24'],
  ['10.7.0/24', 'address_invalid', '10.7.0 is no IPv4 or IPv6 address'],
  ['fd00::/129', 'prefix_invalid', 'prefix length 129 exceeds 128'],
])('%s is refused', (text, code, message) => {
  expect(() => parseSubnet(text)).toThrow(expect.objectContaining({ code, message }));
});
