import { expect, test } from 'vitest';
import { addressBytes } from './address-bytes.ts';

test.each([
  ['10.0.0.1', '0a000001'],
  ['::', '00000000000000000000000000000000'],
  ['fd00::1', 'fd000000000000000000000000000001'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
])('%s', (text, hex) => {
  expect(Buffer.from(addressBytes(text)).toString('hex')).toBe(hex);
});
