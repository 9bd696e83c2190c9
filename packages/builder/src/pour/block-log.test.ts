import type { InflatedBlock } from '@tapline/oci';
import { expect, test } from 'vitest';
import { BlockLog } from './block-log.ts';

function block(start: number, end: number, reach = start): InflatedBlock {
  return { start, end, reach, bitStart: start, bitEnd: end };
}

test('a block is kept where a span has it and all that it refers to', () => {
  const log = new BlockLog();
  const inside = block(20_000, 40_000, 12_000);
  const reachesOut = block(40_000, 60_000, 9_999);
  const atTheEnd = block(60_000, 80_000, 30_000);
  for (const each of [block(0, 20_000), inside, reachesOut, atTheEnd]) log.add(each);
  expect(log.keep([{ at: 500, length: 70_000, source: 10_000 }])).toEqual([
    { at: 10_500, block: inside },
    { at: 50_500, block: atTheEnd },
  ]);
});

test('a block that is in two spans is in none', () => {
  const log = new BlockLog();
  log.add(block(0, 20_000));
  log.add(block(20_000, 40_000));
  const spans = [
    { at: 0, length: 30_000, source: 0 },
    { at: 31_000, length: 10_000, source: 30_000 },
  ];
  expect(log.keep(spans)).toEqual([{ at: 0, block: block(0, 20_000) }]);
});

test('a file that goes on in the next piece keeps what is whole there', () => {
  const log = new BlockLog();
  for (let at = 0; at < 60_000; at += 20_000) log.add(block(at, at + 20_000));
  expect(log.keep([{ at: 0, length: 25_000, source: 0 }])).toHaveLength(1);
  const next = log.keep([{ at: 0, length: 35_000, source: 25_000 }]);
  expect(next).toEqual([{ at: 15_000, block: block(40_000, 60_000) }]);
});

test('small blocks, and those that did not shrink, are made anew', () => {
  const log = new BlockLog();
  log.add(block(0, 4000));
  log.add({ start: 4000, end: 14_000, reach: 4000, bitStart: 0, bitEnd: 80_000 });
  expect(log.keep([{ at: 0, length: 14_000, source: 0 }])).toEqual([]);
});

test('thousands of blocks are forgotten as they are passed', () => {
  const log = new BlockLog();
  let kept = 0;
  for (let piece = 0; piece < 200; piece += 1) {
    const source = piece * 1_000_000;
    for (let at = 0; at < 1_000_000; at += 50_000)
      log.add(block(source + at, source + at + 50_000));
    kept += log.keep([{ at: 0, length: 1_000_000, source }]).length;
  }
  expect(kept).toBe(4000);
});
