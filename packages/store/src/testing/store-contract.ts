import { afterEach, describe, expect, test } from 'vitest';
import { checkHistories } from './check-histories.ts';
import type { Change, Retention, Store, Watch, WriteOperation } from '../store.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Opens the same state again after disposal; absent where nothing outlives the store. */
  readonly reopen?: () => Promise<OpenedStore>;
}

export interface StoreBackend {
  /** An empty store. */
  readonly open: (options?: { readonly retention?: Retention }) => Promise<OpenedStore>;
  /** Random histories to check. */
  readonly runs: number;
}

/** What every store does. */
export function storeContract(name: string, backend: StoreBackend): void {
  describe(`${name}: store contract`, () => {
    const stores: Store[] = [];
    const never = new AbortController().signal;

    async function open(retention?: Retention): Promise<Store> {
      const { store } = await backend.open(retention === undefined ? {} : { retention });
      stores.push(store);
      return store;
    }

    afterEach(async () => {
      for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
    });

    test('random histories agree with the model', { timeout: 120_000 }, async () => {
      const steps = await checkHistories(() => backend.open(), { runs: backend.runs });
      expect(steps).toBeGreaterThan(0);
    });

    test('starts at revision 0 with nothing in it', async () => {
      const store = await open();
      expect(store.revision).toBe(0);
      expect(await store.list({ prefix: '' })).toEqual({
        entries: [],
        revision: 0,
        more: false,
        remaining: 0,
      });
      expect(await store.get('/a')).toBeUndefined();
    });

    test('each operation takes one revision, also inside one write', async () => {
      const store = await open();
      const result = await store.write([create('/a'), create('/b'), update('/a', '2')]);
      expect(result.revision).toBe(3);
      expect(result.entries.map((entry) => entry.modRevision)).toEqual([1, 2, 3]);
      expect(store.getSync('/a')).toEqual({
        key: '/a',
        value: '2',
        createRevision: 1,
        modRevision: 3,
      });
    });

    test('a deleted key starts over', async () => {
      const store = await open();
      await store.write([create('/a'), remove('/a'), create('/a')]);
      expect(await store.get('/a')).toMatchObject({ createRevision: 3, modRevision: 3 });
    });

    test('refuses all operations for one, and says which and why', async () => {
      const store = await open();
      await store.write([create('/a')]);
      await expect(store.write([create('/b'), create('/a')])).rejects.toMatchObject({
        code: 'already_exists',
        details: { key: '/a', operation: 1 },
      });
      await expect(store.write([update('/a', '2', 7)])).rejects.toMatchObject({
        code: 'conflict',
        details: { key: '/a', operation: 0, expected: 7, actual: 1 },
      });
      await expect(store.write([remove('/c')])).rejects.toMatchObject({ code: 'not_found' });
      expect(store.revision).toBe(1);
      expect(await store.get('/b')).toBeUndefined();
    });

    test('of writers with the same precondition one wins', async () => {
      const store = await open();
      await store.write([create('/a')]);
      const answers = await Promise.allSettled(
        Array.from({ length: 50 }, (_, index) => store.write([update('/a', String(index), 1)])),
      );
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(store.revision).toBe(2);
    });

    test('a refused write takes none of its neighbours with it', async () => {
      const store = await open();
      const answers = await Promise.allSettled(
        Array.from({ length: 100 }, (_, index) => store.write([create(`/k/${index % 60}`)])),
      );
      expect(answers.map(({ status }) => status)).toEqual(
        Array.from({ length: 100 }, (_, index) => (index < 60 ? 'fulfilled' : 'rejected')),
      );
      expect(store.revision).toBe(60);
    });

    test('shows a write only once it is answered', async () => {
      const store = await open();
      const answer = store.write([create('/a')]);
      expect(store.getSync('/a')).toBeUndefined();
      await answer;
      expect(store.getSync('/a')).toBeDefined();
    });

    test('a write of nothing changes nothing', async () => {
      const store = await open();
      expect(await store.write([])).toEqual({ revision: 0, entries: [] });
    });

    test.each([
      ['invalid_key', '', '{}'],
      ['invalid_key', '/a\0', '{}'],
      ['invalid_key', '/a\uD800', '{}'],
      ['invalid_value', '/a', '"\0"'],
      ['invalid_value', '/a', '"\uDC00"'],
    ])('refuses text it could not give back: %s', async (code, key, value) => {
      const store = await open();
      await expect(store.write([{ kind: 'create', key, value }])).rejects.toMatchObject({ code });
      expect(store.revision).toBe(0);
    });

    test('reads of compacted and of future revisions say so', async () => {
      const store = await open();
      await store.write([create('/a'), update('/a', '2'), update('/a', '3')]);
      await store.compact(2);
      await expect(store.list({ prefix: '', revision: 1 })).rejects.toMatchObject({
        code: 'compacted',
        details: { revision: 1, compactedRevision: 2 },
      });
      await expect(store.list({ prefix: '', revision: 4 })).rejects.toMatchObject({
        code: 'future_revision',
        details: { revision: 4, newestRevision: 3 },
      });
      await expect(store.compact(4)).rejects.toMatchObject({ code: 'future_revision' });
      const asOf2 = await store.list({ prefix: '', revision: 2 });
      expect(asOf2.entries).toMatchObject([{ value: '2', modRevision: 2 }]);
      for (const [after, code] of [
        [1, 'compacted'],
        [4, 'future_revision'],
      ] as const) {
        const watch = store.watch({ prefix: '', after, signal: never });
        await expect(collect(watch)).rejects.toMatchObject({ code });
      }
    });

    test('compacting backwards does nothing', async () => {
      const store = await open();
      await store.write([create('/a'), create('/b')]);
      await store.compact(2);
      await store.compact(1);
      expect(store.compactedRevision).toBe(2);
    });

    test('a watch gets the past, then what comes', async () => {
      const store = await open();
      await store.write([create('/a/1'), create('/b/1')]);
      const seen: Change[] = [];
      for await (const batch of store.watch({ prefix: '/a/', after: 0, signal: never })) {
        seen.push(...batch);
        if (seen.length === 1) await store.write([create('/b/2'), remove('/a/1')]);
        if (seen.length === 2) break;
      }
      expect(seen).toEqual([
        { kind: 'put', key: '/a/1', value: '{}', createRevision: 1, revision: 1 },
        {
          kind: 'delete',
          key: '/a/1',
          value: '{}',
          previous: '{}',
          createRevision: 1,
          revision: 4,
        },
      ]);
    });

    test('the revision of a watch passes changes that do not match', async () => {
      const store = await open();
      const watch = store.watch({ prefix: '/a/', after: 0, signal: never });
      const batches = watch[Symbol.asyncIterator]();
      const first = batches.next();
      await store.write([create('/b/1')]);
      expect(watch.revision).toBe(1);
      await store.write([create('/a/1')]);
      await first;
      await store.write([create('/a/2'), create('/b/2')]);
      const second = batches.next();
      expect(watch.revision).toBe(2);
      await second;
      const third = batches.next();
      expect(watch.revision).toBe(4);
      await store.write([create('/a/3')]);
      await third;
      await batches.return?.();
    });

    test('a watch ends with its signal and with its store', async () => {
      const store = await open();
      const controller = new AbortController();
      const aborted = store.watch({ prefix: '', after: 0, signal: controller.signal });
      const open1 = store.watch({ prefix: '', after: 0, signal: never });
      const ends = Promise.all([collect(aborted), collect(open1)]);
      const before = store.watch({ prefix: '', after: 0, signal: AbortSignal.abort() });
      expect(await collect(before)).toEqual([]);
      controller.abort();
      await store[Symbol.asyncDispose]();
      expect(await ends).toEqual([[], []]);
    });

    test('a slow watcher ends once history has left it behind; an idle one does not', async () => {
      const store = await open({ revisions: 20, bytes: 2 ** 20 });
      const slow = store.watch({ prefix: '/busy', after: 0, signal: never });
      const idle = store.watch({ prefix: '/idle', after: 0, signal: never });
      const slowBatches = slow[Symbol.asyncIterator]();
      const idleBatches = idle[Symbol.asyncIterator]();
      const idleFirst = idleBatches.next();
      const slowFirst = slowBatches.next();
      await store.write([create('/busy')]);
      expect((await slowFirst).value).toHaveLength(1);
      for (let index = 0; index < 100; index++) await store.write([update('/busy', '1')]);
      await expect(slowBatches.next()).rejects.toMatchObject({ code: 'watch_too_slow' });
      await store.write([create('/idle')]);
      expect((await idleFirst).value).toMatchObject([{ key: '/idle', revision: 102 }]);
      await idleBatches.return?.();
    });

    test('retention keeps the newest revisions, within its bytes', async () => {
      const byCount = await open({ revisions: 10, bytes: 2 ** 20 });
      await byCount.write([create('/a')]);
      for (let index = 0; index < 50; index++) await byCount.write([update('/a', '1')]);
      expect(byCount.revision - byCount.compactedRevision).toBeGreaterThanOrEqual(10);
      expect(byCount.revision - byCount.compactedRevision).toBeLessThanOrEqual(13);

      const byBytes = await open({ revisions: 1000, bytes: 1000 });
      await byBytes.write([create('/a')]);
      const value = JSON.stringify('x'.repeat(96));
      for (let index = 0; index < 50; index++) await byBytes.write([update('/a', value)]);
      expect(byBytes.revision - byBytes.compactedRevision).toBeGreaterThanOrEqual(9);
      expect(byBytes.revision - byBytes.compactedRevision).toBeLessThanOrEqual(12);
    });

    test('disposal waits for the writes it took, and refuses later ones', async () => {
      const { store, reopen } = await backend.open();
      const answers = Promise.all([store.write([create('/a')]), store.write([create('/b')])]);
      await store[Symbol.asyncDispose]();
      await answers;
      await expect(store.write([create('/c')])).rejects.toMatchObject({ code: 'store_closed' });
      await expect(store.get('/a')).rejects.toMatchObject({ code: 'store_closed' });
      const watch = store.watch({ prefix: '', after: 0, signal: never });
      await expect(collect(watch)).rejects.toMatchObject({ code: 'store_closed' });
      await store[Symbol.asyncDispose]();
      if (reopen === undefined) return;
      const reopened = await reopen();
      stores.push(reopened.store);
      expect(reopened.store.revision).toBe(2);
    });
  });
}

async function collect(watch: Watch): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for await (const batch of watch) changes.push(...batch);
  return changes;
}

function create(key: string): WriteOperation {
  return { kind: 'create', key, value: '{}' };
}

function update(key: string, value: string, ifRevision?: number): WriteOperation {
  return { kind: 'update', key, value, ...(ifRevision === undefined ? {} : { ifRevision }) };
}

function remove(key: string): WriteOperation {
  return { kind: 'delete', key };
}
