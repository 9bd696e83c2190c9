import { expect, test } from 'vitest';
import { parseTarNumber } from './tar-number.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each<[string, Uint8Array, number | undefined]>([
  ['octal with NUL', bytes('0000644\0'), 0o644],
  ['octal with spaces', bytes('   644 \0'), 0o644],
  ['octal that fills the field', bytes('77777777'), 0o77777777],
  ['blank', bytes('        '), 0],
  ['NULs', new Uint8Array(8), 0],
  ['a digit that is not octal', bytes('0000648\0'), undefined],
  ['text between digits', bytes('64x4\0\0\0\0'), undefined],
  ['a sign', bytes('-000644\0'), undefined],
  ['base-256', Uint8Array.of(0x80, 0, 0, 0, 0, 0, 1, 0), 256],
  ['base-256 of 8 GiB', Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0), 8 * 2 ** 30],
  ['negative base-256', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe), -2],
  ['base-256 beyond 2^53', Uint8Array.of(0x80, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0), undefined],
])('%s', (_name, field, expected) => {
  expect(parseTarNumber(field)).toBe(expected);
});
