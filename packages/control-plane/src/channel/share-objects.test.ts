import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareObjects } from './share-objects.ts';

const edges = ['e1', 'e2', 'e3', 'e4'];

test('copies follow popularity, and every object is somewhere', () => {
  const shares = shareObjects(
    [
      { path: 'rare', popularity: 0 },
      { path: 'half', popularity: 50 },
      { path: 'top', popularity: 100 },
    ],
    edges,
  );
  const copies = (path: string): number =>
    [...shares.values()].filter((share) => share.includes(path)).length;
  expect([copies('top'), copies('half'), copies('rare')]).toEqual([4, 2, 1]);
  for (const share of shares.values()) expect(share[0]).toBe('top');
});

test('an edge that goes moves only what was its own', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 30 }), (paths) => {
      const objects = paths.map((path, at) => ({ path, popularity: at === 0 ? 4 : 1 }));
      const before = shareObjects(objects, edges);
      const after = shareObjects(objects, edges.slice(1));
      for (const edge of edges.slice(1)) {
        const kept = new Set(after.get(edge));
        for (const path of before.get(edge) ?? []) expect(kept.has(path)).toBe(true);
      }
    }),
  );
});
