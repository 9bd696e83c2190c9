import { describe, expect, it } from 'vitest';
import { ObjectCache } from './object-cache.ts';

interface Item {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly colour: string;
}

function item(
  name: string,
  revision: number,
  options: { colour?: string; uid?: string } = {},
): Item {
  const { colour = 'red', uid = name } = options;
  const metadata = { name, uid, resourceVersion: String(revision) };
  return { apiVersion: 'v1', kind: 'Item', metadata, colour };
}

function cacheOf(): ObjectCache<Item, 'colour'> {
  return new ObjectCache<Item, 'colour'>({ colour: ({ colour }) => [colour] });
}

describe('ObjectCache', () => {
  it('ignores what is older than what it has', () => {
    const cache = cacheOf();
    cache.apply('added', item('a', 9, { colour: 'blue' }));
    expect(cache.apply('modified', item('a', 8))).toEqual([]);
    expect(cache.apply('modified', item('a', 10, { colour: 'green' }))).toHaveLength(1);
    expect(cache.get('a')?.colour).toBe('green');
    expect(cache.byIndex('colour', 'blue')).toEqual([]);
    expect(cache.countByIndex('colour', 'green')).toBe(1);
  });

  it('does not bring back an object that is known to be deleted', () => {
    const cache = cacheOf();
    cache.apply('added', item('a', 1));
    cache.apply('deleted', item('a', 3));
    expect(cache.observe(item('a', 2))).toEqual([]);
    expect(cache.get('a')).toBeUndefined();
    expect(cache.observe(item('a', 4, { uid: 'a2' }))).toHaveLength(1);
  });

  it('shows a write ahead of its event, once', () => {
    const cache = cacheOf();
    cache.replace([], '5');
    expect(cache.observe(item('a', 6)).map(({ kind }) => kind)).toEqual(['added']);
    expect(cache.apply('added', item('a', 6))).toEqual([]);
  });

  it('replaces all by a list, except what is newer than it', () => {
    const cache = cacheOf();
    cache.apply('added', item('a', 1));
    cache.apply('added', item('b', 2));
    cache.observe(item('c', 9));
    const changes = cache.replace([item('b', 4, { colour: 'blue' })], '5');
    expect(changes.map(({ kind, object }) => `${kind} ${object.metadata.name}`)).toEqual([
      'modified b',
      'deleted a',
    ]);
    expect(cache.list().map(({ metadata }) => metadata.name)).toEqual(['c', 'b']);
    expect(cache.revision).toBe('5');
  });

  it('shows another object of the same name as a deletion and an addition', () => {
    const cache = cacheOf();
    cache.apply('added', item('a', 1));
    const changes = cache.apply('modified', item('a', 2, { uid: 'other' }));
    expect(changes.map(({ kind }) => kind)).toEqual(['deleted', 'added']);
  });

  it('compares revisions as numbers', () => {
    const cache = cacheOf();
    cache.apply('added', item('a', 99));
    expect(cache.apply('modified', item('a', 100, { colour: 'blue' }))).toHaveLength(1);
  });
});
