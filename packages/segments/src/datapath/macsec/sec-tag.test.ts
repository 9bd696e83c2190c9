import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptySecTag, readSecTag, writeSecTag } from './sec-tag.ts';

const addresses = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9];

function frame(tci: number, shortLength: number, restBytes: number): Uint8Array {
  const rest = new Uint8Array(restBytes).fill(7);
  return Uint8Array.from([...addresses, 0x88, 0xe5, tci, shortLength, 0, 0, 0, 1, ...rest]);
}

function isValid(bytes: Uint8Array): boolean {
  return readSecTag(bytes, 0, bytes.length, emptySecTag());
}

test('reads what it wrote, for every length and with or without an SCI', () => {
  const sci = Uint8Array.from([2, 0, 0, 0, 0, 9, 0, 1]);
  fc.assert(
    fc.property(
      fc.nat({ max: 3 }),
      fc.boolean(),
      fc.boolean(),
      fc.nat({ max: 0xffffffff }),
      fc.integer({ min: 2, max: 200 }),
      fc.nat({ max: 30 }),
      (associationNumber, encrypted, explicit, packetNumber, dataBytes, start) => {
        const bytes = new Uint8Array(start + 28 + dataBytes + 16);
        bytes.set(addresses, start);
        const fields = { associationNumber, encrypted, packetNumber, dataBytes };
        const headerBytes = writeSecTag(bytes, start, { ...fields, ...(explicit && { sci }) });
        const tag = emptySecTag();
        const end = start + headerBytes + dataBytes + 16;
        expect(readSecTag(bytes, start, end, tag)).toBe(true);
        expect(tag).toEqual({
          associationNumber,
          encrypted,
          packetNumber,
          headerBytes,
          dataEnd: start + headerBytes + dataBytes,
          sciHigh: 0x02000000,
          sciLow: 0x00090001,
        });
      },
    ),
  );
});

test.each([
  ['version 1', 0xac, 0, 80],
  ['encrypted and not changed', 0x28, 0, 80],
  ['changed and not encrypted', 0x24, 0, 80],
  ['SCI and end station', 0x6c, 0, 80],
  ['SCI and single copy broadcast', 0x3c, 0, 80],
  ['single copy broadcast', 0x1c, 0, 80],
  ['a channel that nothing tells', 0x0c, 0, 80],
  ['short length of 48', 0x2c, 48, 80],
  ['less than its short length', 0x2c, 40, 8 + 39 + 16],
  ['less than 48 octets without a short length', 0x2c, 0, 8 + 47 + 16],
  ['octets behind a short frame that is long enough', 0x2c, 40, 8 + 41 + 16],
])('refuses %s', (_, tci, shortLength, rest) => {
  expect(isValid(frame(tci, shortLength, rest))).toBe(false);
});

test('takes what Ethernet padded, up to its shortest frame', () => {
  expect(isValid(frame(0x4c, 10, 60 - 20))).toBe(true);
  expect(isValid(frame(0x4c, 10, 61 - 20))).toBe(false);
});

test('any bytes are read or refused, and never beyond their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, tagged) => {
      if (tagged && bytes.length > 14) bytes.set([0x88, 0xe5], 12);
      const tag = emptySecTag();
      if (!readSecTag(bytes, 0, bytes.length, tag)) return;
      expect(tag.dataEnd + 16).toBeLessThanOrEqual(bytes.length);
      expect(tag.dataEnd).toBeGreaterThan(tag.headerBytes);
    }),
    { numRuns: 2000 },
  );
});
