import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NodeState } from '../state/node-state.ts';
import { alikeFabric } from '../testing/alike-fabric.ts';
import { compiledStates } from '../testing/compiled-states.ts';
import { arbitraryMutation } from '../testing/mutate-state.ts';
import { shareUnchanged } from './share-unchanged.ts';

test('what is the same is the same object, and all of it says what the newer state says', () => {
  fc.assert(
    fc.property(alikeFabric, fc.array(arbitraryMutation, { maxLength: 2 }), (fabric, mutations) => {
      for (const before of compiledStates(fabric).values()) {
        const changed = mutations.reduce((state, { apply }) => apply(state), before);
        const after = structuredClone(changed);
        const shared = shareUnchanged(before, after);
        expect(shared).toEqual(after);
        for (const key of Object.keys(after) as (keyof NodeState)[]) {
          const same = JSON.stringify(before[key]) === JSON.stringify(after[key]);
          expect(shared[key] === before[key]).toBe(same);
        }
        expect(shareUnchanged(before, structuredClone(before))).toBe(before);
      }
    }),
    { numRuns: 50 },
  );
});

test.each([
  [{ up: true }, {}],
  [{}, { up: true }],
  [{ up: true }, { up: false }],
  [{ master: 'a' }, { lower: 'a' }],
  [{ mtu: 1 }, { mtu: '1' }],
  [{ mtu: [1] }, { mtu: { 0: 1 } }],
])('%j is not %j', (left, right) => {
  const state = (link: unknown) => ({ links: [link] }) as unknown as NodeState;
  const after = state(right);
  expect(shareUnchanged(state(left), after).links[0]).toBe(after.links[0]);
});

test.each([
  [
    [1, 2, 3],
    [1, 3],
    [0, 2],
  ],
  [
    [1, 3],
    [1, 2, 3],
    [0, 1],
  ],
  [
    [1, 2, 3],
    [1, 4, 3],
    [0, 2],
  ],
  [[1, 1], [1], [0]],
  [[1], [1, 1], [0]],
  [[1, 2], [2, 1], []],
])(
  'entries before and behind what differs are the older ones: %j, then %j',
  (left, right, kept) => {
    const state = (mtus: readonly number[]) =>
      ({ links: mtus.map((mtu) => ({ mtu })) }) as unknown as NodeState;
    const [before, after] = [state(left), state(right)];
    const shared = shareUnchanged(before, after);
    expect(shared).toEqual(after);
    const indices = before.links.flatMap((link, at) => (shared.links.includes(link) ? [at] : []));
    expect(indices).toEqual(kept);
  },
);
