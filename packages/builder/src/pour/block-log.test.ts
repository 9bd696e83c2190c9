import type { InflatedBlock } from '@tapline/oci';
import { expect, test } from 'vitest';
import { BlockLog } from './block-log.ts';

function block(start: number, end: number, reach = start): InflatedBlock {
  return { start, end, reach, bitStart: start, bitEnd: end };
}

test('a block is kept whole where a span has it and all that it refers to', () => {
  const log = new BlockLog();
  const inside = block(20_000, 40_000, 12_000);
  const reachesOut = block(40_000, 60_000, 9_999);
  const atTheEnd = block(60_000, 80_000, 30_000);
  const crossing = block(0, 20_000);
  for (const each of [crossing, inside, reachesOut, atTheEnd]) log.add(each);
  const span = { at: 500, length: 70_000, source: 10_000 };
  expect(log.within([span])).toEqual([
    { block: crossing, wholeAt: undefined, common: [span] },
    { block: inside, wholeAt: 10_500, common: [span] },
    { block: reachesOut, wholeAt: undefined, common: [span] },
    { block: atTheEnd, wholeAt: 50_500, common: [span] },
  ]);
});

test('a block that is in several spans is kept in parts, but not for little', () => {
  const log = new BlockLog();
  log.add(block(0, 20_000));
  log.add(block(20_000, 40_000));
  const spans = [
    { at: 0, length: 30_000, source: 0 },
    { at: 31_000, length: 500, source: 30_000 },
    { at: 32_000, length: 9000, source: 31_000 },
  ];
  expect(log.within(spans)).toEqual([
    { block: block(0, 20_000), wholeAt: 0, common: [spans[0]] },
    { block: block(20_000, 40_000), wholeAt: undefined, common: [spans[0], spans[2]] },
  ]);
});

test('a block that goes on in the next piece is in both', () => {
  const log = new BlockLog();
  for (let at = 0; at < 60_000; at += 20_000) log.add(block(at, at + 20_000));
  expect(log.within([{ at: 0, length: 25_000, source: 0 }])).toHaveLength(2);
  const next = log.within([{ at: 0, length: 35_000, source: 25_000 }]);
  expect(next.map(({ block: { start }, wholeAt }) => [start, wholeAt])).toEqual([
    [20_000, undefined],
    [40_000, 15_000],
  ]);
});

test('small blocks, and those that did not shrink, are made anew', () => {
  const log = new BlockLog();
  log.add(block(0, 1000));
  log.add({ start: 1000, end: 11_000, reach: 1000, bitStart: 0, bitEnd: 80_000 });
  expect(log.within([{ at: 0, length: 11_000, source: 0 }])).toEqual([]);
});

test('thousands of blocks are forgotten as they are passed', () => {
  const log = new BlockLog();
  let kept = 0;
  for (let piece = 0; piece < 200; piece += 1) {
    const source = piece * 1_000_000;
    for (let at = 0; at < 1_000_000; at += 50_000)
      log.add(block(source + at, source + at + 50_000));
    kept += log.within([{ at: 0, length: 1_000_000, source }]).length;
  }
  expect(kept).toBe(4000);
});
