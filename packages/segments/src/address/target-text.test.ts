import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpAddress } from './ip-address.ts';
import { linkLocal } from './link-local.ts';
import { targetText } from './target-text.ts';

test('is the number that the address is', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
      expect(targetText(formatIpAddress({ family: 6, value }))).toBe(`0x${value.toString(16)}`);
    }),
  );
  expect(targetText('::')).toBe('0x0');
  expect(targetText('fd00::1')).toBe('0xfd000000000000000000000000000001');
});

test('a link-local address is the one of RFC 4291 (EUI-64), whatever the MAC', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(255), { minLength: 6, maxLength: 6 }), (bytes) => {
      const mac = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
      const [first = 0, second = 0, third = 0, ...rest] = bytes;
      const low = [first ^ 2, second, third, 0xff, 0xfe, ...rest].reduce(
        (sum, byte) => (sum << 8n) | BigInt(byte),
        0n,
      );
      expect(linkLocal(mac)).toBe(formatIpAddress({ family: 6, value: (0xfe80n << 112n) | low }));
    }),
  );
});
