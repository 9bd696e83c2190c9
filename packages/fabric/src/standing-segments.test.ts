import type { CompiledSegment } from '@tapline/segments';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StandingSegments } from './standing-segments.ts';

function compiled(vnis: readonly number[], name = 's'): ReadonlyMap<number, CompiledSegment> {
  return new Map(
    vnis.map((vni) => [vni, { intent: { name: `${name}${vni}`, vni } } as CompiledSegment]),
  );
}

test('changes lead to what all of it anew would be', () => {
  const vnis = fc.uniqueArray(fc.integer({ min: 1, max: 12 }));
  fc.assert(
    fc.property(vnis, fc.array(vnis), (first, later) => {
      const standing = new StandingSegments();
      standing.reset({ segments: compiled(first) });
      let before = first;
      for (const [turn, next] of later.entries()) {
        const touched = new Set([...before, ...next]);
        const segments = compiled(next, `turn${turn}-`);
        standing.change({ segments }, touched);
        const fresh = new StandingSegments();
        fresh.reset({ segments });
        expect(new Set(standing.list())).toEqual(new Set(fresh.list()));
        expect(standing.list()).toHaveLength(next.length);
        before = next;
      }
    }),
  );
});
