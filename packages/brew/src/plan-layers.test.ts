import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LayerMember, planLayers } from './plan-layers.ts';

function chain(text: string): readonly LayerMember[] {
  return text.split(' ').map((word) => {
    const [name = '', needs = ''] = word.split('<');
    return { name, dependencies: needs === '' ? [] : needs.split(',') };
  });
}

test('each formula has its own layer where they fit', () => {
  expect(planLayers(chain('a b<a c<b'), { maxLayers: 4 })).toEqual([['a'], ['b'], ['c']]);
});

test('a dependency and what it needs are merged, the one that most need', () => {
  const members = chain('a b<a x y<x c<b d<b,y e<c,d');
  expect(planLayers(members, { maxLayers: 7 })).toEqual([
    ['a', 'b'],
    ['x'],
    ['y'],
    ['c'],
    ['d'],
    ['e'],
  ]);
});

test('the group is the same in another image that has the dependency', () => {
  const one = planLayers(chain('a b<a c<b d<c e<d'), { maxLayers: 5 });
  const other = planLayers(chain('z a b<a c<b y<z,c'), { maxLayers: 5 });
  expect(one[0]).toEqual(['a', 'b']);
  expect(other).toContainEqual(['a', 'b']);
});

test('no image has more layers than allowed, and every formula is in one', () => {
  const closure = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(closure, fc.integer({ min: 2, max: 20 }), (needs, maxLayers) => {
      const members = needs.map((list, at) => ({
        name: `f${at}`,
        dependencies: at === 0 ? [] : list.map((value) => `f${value % at}`),
      }));
      const layers = planLayers(members, { maxLayers });
      expect(layers.length).toBeLessThanOrEqual(maxLayers - 1);
      expect(layers.flat().toSorted()).toEqual(members.map(({ name }) => name).toSorted());
    }),
  );
});
