import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';

test('what is formatted is read again, and is what a URL makes of it', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.nat(120), (value, shift) => {
      // Zeros in the middle are what is hard about it.
      const holed = value & ~(0xffffffffn << BigInt(shift));
      const text = formatIpAddress({ family: 6, value: holed });
      expect(parseIpAddress(text)).toEqual({ family: 6, value: holed });
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), (value) => {
      expect(parseIpAddress(formatIpAddress({ family: 4, value }))).toEqual({ family: 4, value });
    }),
  );
});

test('takes what Node takes, but for IPv4 inside IPv6, and nothing else', () => {
  const parts = fc.constantFrom('0', '1', '9', 'f', 'G', '.', ':', '::', '255', '256', '01');
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 14 }), (words) => {
      const text = words.join('');
      fc.pre(!(text.includes(':') && text.includes('.')));
      let read: number;
      try {
        read = parseIpAddress(text).family;
      } catch {
        read = 0;
      }
      expect(read, text).toBe(isIP(text));
    }),
    { numRuns: 3000 },
  );
});
