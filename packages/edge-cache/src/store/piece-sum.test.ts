import { seededRng } from '@tapline/base';
import { expect, test } from 'vitest';
import { createPieceSum, pieceBytes } from './piece-sum.ts';

const rng = seededRng(11);
const whole = (limit: number): number => Math.floor(rng() * limit);
const sum = createPieceSum();

function randomBytes(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => whole(256)));
}

/** The same by the description, a word at a time. */
function plainSum(bytes: Buffer): number {
  const prime = 0x9e3779b1;
  const padded = Buffer.alloc(Math.ceil(bytes.length / 128) * 128);
  bytes.copy(padded);
  const rows = Array.from({ length: 32 }, (_, row) => Math.imul(row + 1, prime));
  for (let at = 0; at < padded.length; at += 4) {
    const row = (at / 4) % 32;
    const mixed = (rows[row] ?? 0) ^ padded.readInt32LE(at);
    rows[row] = Math.imul((mixed << 13) | (mixed >>> 19), prime);
  }
  const folded = rows.reduce((all, row) => Math.imul(all, prime) ^ row, 1);
  return (folded ^ Math.imul(bytes.length, prime)) >>> 0;
}

test('it is what its description says, whatever was summed before', () => {
  for (const length of [1, 3, 127, 128, 129, 4096, pieceBytes - 1, pieceBytes]) {
    const bytes = randomBytes(length);
    expect(sum(bytes)).toBe(plainSum(bytes));
  }
  expect(() => sum(Buffer.alloc(pieceBytes + 1))).toThrow(/65537 .* 65536/);
});

test('a wrong bit anywhere, zeros at the end, and rows that changed places are seen', () => {
  const bytes = randomBytes(5000);
  const right = sum(bytes);
  for (let round = 0; round < 2000; round += 1) {
    const at = whole(bytes.length);
    const bit = 1 << whole(8);
    bytes[at] = (bytes[at] ?? 0) ^ bit;
    expect(sum(bytes)).not.toBe(right);
    bytes[at] = (bytes[at] ?? 0) ^ bit;
  }
  expect(sum(bytes)).toBe(right);
  expect(sum(Buffer.concat([bytes, Buffer.alloc(8)]))).not.toBe(right);
  expect(
    sum(Buffer.concat([bytes.subarray(16, 32), bytes.subarray(0, 16), bytes.subarray(32)])),
  ).not.toBe(right);
  const moved = Buffer.concat([
    bytes.subarray(128, 256),
    bytes.subarray(0, 128),
    bytes.subarray(256),
  ]);
  expect(sum(moved)).not.toBe(right);
});
