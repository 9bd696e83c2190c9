import { expect, test } from 'vitest';
import { findCycle } from './find-cycle.ts';

function graph(edges: Record<string, string[]>): Map<string, Set<string>> {
  return new Map(Object.entries(edges).map(([node, targets]) => [node, new Set(targets)]));
}

test('a diamond has no cycle', () => {
  expect(findCycle(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toBeUndefined();
});

test('a cycle is named from its first node back to it', () => {
  expect(findCycle(graph({ a: ['b'], b: ['c'], c: ['d'], d: ['b'] }))).toEqual([
    'b',
    'c',
    'd',
    'b',
  ]);
});
