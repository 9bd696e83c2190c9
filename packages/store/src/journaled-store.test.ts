import { describe, expect, test } from 'vitest';
import { TaplineError } from '@tapline/base';
import type { Journal } from './journal.ts';
import { JournaledStore } from './journaled-store.ts';
import type { Change, Store } from './store.ts';
import { VersionedMap } from './versioned-map.ts';

/** A journal whose disk the test plays: each append waits until it is answered. */
class HeldJournal implements Journal {
  readonly appends: {
    readonly changes: readonly Change[];
    readonly done: PromiseWithResolvers<void>;
  }[] = [];
  compactError: unknown;

  append(changes: readonly Change[]): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.appends.push({ changes, done });
    return done.promise;
  }

  async compact(): Promise<void> {
    if (this.compactError !== undefined) throw this.compactError;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
  }
}

function open(journal: Journal): Store {
  const retention = { revisions: 1000, bytes: 2 ** 20 };
  return new JournaledStore({ map: new VersionedMap(0), journal, retention });
}

function create(store: Store, key: string): Promise<unknown> {
  return store.write([{ kind: 'create', key, value: '{}' }]);
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('JournaledStore', () => {
  test('writes that arrive during a commit go together in the next', async () => {
    const journal = new HeldJournal();
    const store = open(journal);
    const first = create(store, '/0');
    await settled();
    const rest = Array.from({ length: 99 }, (_, index) => create(store, `/${index + 1}`));
    await settled();
    journal.appends[0]?.done.resolve();
    await first;
    await settled();
    expect(journal.appends.map(({ changes }) => changes.length)).toEqual([1, 99]);
    expect(store.revision).toBe(1);
    journal.appends[1]?.done.resolve();
    await Promise.all(rest);
    expect(store.revision).toBe(100);
  });

  test('refuses on the grounds of a neighbour only once that one is durable', async () => {
    const journal = new HeldJournal();
    const store = open(journal);
    const winner = create(store, '/a');
    let refusal: unknown;
    const loser = create(store, '/a').catch((error: unknown) => (refusal = error));
    await settled();
    expect(refusal).toBeUndefined();
    journal.appends[0]?.done.resolve();
    await Promise.all([winner, loser]);
    expect(refusal).toMatchObject({ code: 'already_exists' });
  });

  test('a full disk refuses the writes of one commit', async () => {
    const journal = new HeldJournal();
    const store = open(journal);
    const refused = create(store, '/a');
    await settled();
    journal.appends[0]?.done.reject(new TaplineError('store_full', 'no space'));
    await expect(refused).rejects.toMatchObject({ code: 'store_full' });
    expect(store.revision).toBe(0);
    const taken = create(store, '/a');
    await settled();
    journal.appends[1]?.done.resolve();
    await taken;
    expect(store.revision).toBe(1);
  });

  test('after an error of unknown outcome it takes no more writes, and still reads', async () => {
    const journal = new HeldJournal();
    const store = open(journal);
    const taken = create(store, '/a');
    await settled();
    journal.appends[0]?.done.resolve();
    await taken;
    const refused = create(store, '/b');
    await settled();
    const queued = create(store, '/c');
    const cause = new TaplineError('store_io', 'fsync failed');
    journal.appends[1]?.done.reject(cause);
    const expected = { code: 'store_failed', cause };
    await expect(refused).rejects.toMatchObject(expected);
    await expect(queued).rejects.toMatchObject(expected);
    await expect(create(store, '/d')).rejects.toMatchObject(expected);
    await expect(store.compact(1)).rejects.toMatchObject(expected);
    expect(journal.appends).toHaveLength(2);
    const { entries } = await store.list({ prefix: '' });
    expect(entries.map(({ key }) => key)).toEqual(['/a']);
  });

  test('a compaction that fails stops the writes too', async () => {
    const journal = new HeldJournal();
    const store = open(journal);
    const taken = create(store, '/a');
    await settled();
    journal.appends[0]?.done.resolve();
    await taken;
    journal.compactError = new TaplineError('store_io', 'read-only file system');
    await expect(store.compact(1)).rejects.toMatchObject({ code: 'store_failed' });
    await expect(create(store, '/b')).rejects.toMatchObject({ code: 'store_failed' });
    await store[Symbol.asyncDispose]();
  });
});
