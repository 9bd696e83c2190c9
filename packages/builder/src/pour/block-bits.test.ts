import { expect, test } from 'vitest';
import { BlockBits } from './block-bits.ts';

const file = Uint8Array.from({ length: 300 }, (_, at) => at % 251);

function bits(): BlockBits {
  return new BlockBits((into, at) => {
    const part = file.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  });
}

function block(bitStart: number, bitEnd: number): Parameters<BlockBits['of']>[0] {
  return { start: 0, end: 1, reach: 0, bitStart, bitEnd };
}

test('the bytes of a block begin with its first bit, and go eight beyond its last', () => {
  const bytes = bits().of(block(83, 165));
  expect([...bytes.subarray(0, 11)]).toEqual([...file.subarray(10, 21)]);
  expect(bytes).toHaveLength(19);
});

test('what was given out stays, until it is forgotten', () => {
  const memory = bits();
  const first = memory.of(block(0, 80));
  const copy = Uint8Array.from(first);
  for (let at = 0; at < 20; at += 1) memory.of(block(at * 100, at * 100 + 90));
  expect(copy).toEqual(Uint8Array.from(first));
  memory.forget();
  expect([...memory.of(block(80, 160)).subarray(0, 10)]).toEqual([...file.subarray(10, 20)]);
});

test('behind the end of the file there is room', () => {
  expect(bits().of(block(2392, 2400))).toHaveLength(9);
});
