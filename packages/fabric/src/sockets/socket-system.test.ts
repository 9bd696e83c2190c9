import { expect, test } from 'vitest';
import { socketAddress, socketSystems } from './socket-system.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('addresses as Linux and macOS lay them out', () => {
  const { linux, darwin } = socketSystems;
  if (linux === undefined || darwin === undefined) throw new Error('both are known');
  const four = { address: '100.112.0.1', port: 4789 };
  expect(hex(socketAddress(linux, four))).toBe(`020012b564700001${'00'.repeat(8)}`);
  expect(hex(socketAddress(darwin, four))).toBe(`100212b564700001${'00'.repeat(8)}`);
  const six = { address: 'fd00::1', port: 4789 };
  const host = `fd${'00'.repeat(14)}01`;
  expect(hex(socketAddress(linux, six))).toBe(`0a0012b500000000${host}00000000`);
  expect(hex(socketAddress(darwin, six))).toBe(`1c1e12b500000000${host}00000000`);
});
