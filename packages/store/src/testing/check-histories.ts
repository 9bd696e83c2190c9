import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isTaplineError } from '@tapline/base';
import { StoreModel } from './store-model.ts';
import type { OpenedStore } from './store-contract.ts';
import type { Change, Store, WriteOperation } from '../store.ts';

/** A position between the compacted and the newest revision, from 0 to 1. */
type Fraction = number;

type Step =
  /** Writes made without waiting for one another. */
  | { readonly kind: 'write'; readonly writes: readonly (readonly PlannedOperation[])[] }
  | {
      readonly kind: 'list';
      readonly prefix: string;
      readonly limit: number;
      readonly at: Fraction;
    }
  | { readonly kind: 'watch'; readonly prefix: string; readonly after: Fraction }
  | { readonly kind: 'compact'; readonly at: Fraction }
  | { readonly kind: 'reopen' };

interface PlannedOperation {
  readonly kind: 'create' | 'update' | 'delete';
  readonly key: string;
  readonly value: string;
  readonly precondition: 'none' | 'current' | 'stale';
}

const prefixes = ['', '/a', '/a/', '/b/', '/a/1', '/zz'] as const;
// Keys whose order differs between UTF-16 and UTF-8, and one that is a prefix of another.
const keys = ['/a', '/a/1', '/a/2', '/a/10', '/b/1', '/b/é', '/b/\u{1F600}', '/b/\uFFFD'] as const;

const anyFraction = fc.double({ min: 0, max: 1, noNaN: true });
const anyOperation: fc.Arbitrary<PlannedOperation> = fc.record({
  kind: fc.constantFrom('create', 'update', 'delete'),
  key: fc.constantFrom(...keys),
  value: fc.json({ maxDepth: 1 }),
  precondition: fc.constantFrom('none', 'none', 'current', 'stale'),
});
const anyWrites = fc.array(fc.array(anyOperation, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), writes: anyWrites }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('list' as const),
      prefix: fc.constantFrom(...prefixes),
      limit: fc.integer({ min: 1, max: 5 }),
      at: anyFraction,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('watch' as const),
      prefix: fc.constantFrom(...prefixes),
      after: anyFraction,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const), at: anyFraction }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

/** Random steps on a store and on the model, which have to agree at each; answers how many. */
export async function checkHistories(
  open: () => Promise<OpenedStore>,
  options: { readonly runs: number },
): Promise<number> {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 40 }), async (steps) => {
      const run = new HistoryRun(await open());
      try {
        for (const each of steps) await run.take(each);
        taken += steps.length;
        await run.finish();
      } finally {
        await run.dispose();
      }
    }),
    { numRuns: options.runs },
  );
  return taken;
}

class HistoryRun {
  readonly #model = new StoreModel();
  #opened: OpenedStore;
  #watches: RunningWatch[] = [];

  constructor(opened: OpenedStore) {
    this.#opened = opened;
  }

  get #store(): Store {
    return this.#opened.store;
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        return this.#write(step.writes);
      case 'list':
        return this.#list(step.prefix, { limit: step.limit, revision: this.#revision(step.at) });
      case 'watch':
        this.#watches.push(watchAll(this.#store, step.prefix, this.#revision(step.after)));
        return;
      case 'compact':
        return this.#compact(this.#revision(step.at));
      case 'reopen':
        return this.#reopen();
    }
  }

  /** What is left at the end, also on disk, is what the model has: entries and history. */
  async finish(): Promise<void> {
    await this.#checkWatches();
    await this.#reopen();
    const { compactedRevision } = this.#model;
    this.#watches.push(watchAll(this.#store, '', compactedRevision));
    await this.#checkWatches();
    await this.#list('', { limit: 3, revision: compactedRevision });
    await this.#list('', { limit: 3, revision: this.#model.revision });
  }

  async dispose(): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
    await Promise.all(this.#watches.map(({ done }) => done));
  }

  #revision(at: Fraction): number {
    const { compactedRevision, revision } = this.#model;
    return compactedRevision + Math.round(at * (revision - compactedRevision));
  }

  async #write(writes: readonly (readonly PlannedOperation[])[]): Promise<void> {
    const entries = this.#model.entriesAt(this.#model.revision, '');
    const groups = writes.map((planned) =>
      planned.map((each): WriteOperation => {
        const { key, value, kind, precondition } = each;
        if (kind === 'create') return { kind, key, value };
        const actual = entries.find((entry) => entry.key === key)?.modRevision ?? 0;
        const ifRevision = { none: undefined, current: actual, stale: actual - 1 }[precondition];
        const condition = ifRevision === undefined ? {} : { ifRevision };
        return kind === 'update' ? { kind, key, value, ...condition } : { kind, key, ...condition };
      }),
    );
    const answers = await Promise.allSettled(groups.map((group) => this.#store.write(group)));
    for (const [index, answer] of answers.entries()) {
      const before = this.#model.revision;
      const code = this.#model.write(groups[index] ?? []);
      if (answer.status === 'rejected') {
        assert.equal(isTaplineError(answer.reason) && answer.reason.code, code);
        continue;
      }
      assert.equal(code, undefined);
      assert.equal(answer.value.revision, this.#model.revision);
      assert.deepEqual(
        answer.value.entries,
        this.#model.changes.slice(before).map(({ key, value, createRevision, revision }) => ({
          key,
          value,
          createRevision,
          modRevision: revision,
        })),
      );
    }
    assert.equal(this.#store.revision, this.#model.revision);
  }

  async #list(
    prefix: string,
    options: { readonly limit: number; readonly revision: number },
  ): Promise<void> {
    const expected = this.#model.entriesAt(options.revision, prefix);
    let after: string | undefined;
    while (true) {
      const page = await this.#store.list({ prefix, ...options, ...(after && { after }) });
      assert.deepEqual(page.entries, expected.splice(0, options.limit));
      assert.equal(page.revision, options.revision);
      assert.equal(page.more, expected.length > 0);
      assert.equal(page.remaining, expected.length);
      if (!page.more) break;
      after = page.entries.at(-1)?.key;
    }
    for (const key of keys) {
      const entry = this.#model
        .entriesAt(this.#model.revision, key)
        .find((each) => each.key === key);
      assert.deepEqual(await this.#store.get(key), entry);
    }
  }

  async #compact(revision: number): Promise<void> {
    // Otherwise some would rightly be too slow.
    await this.#checkWatches();
    await this.#store.compact(revision);
    this.#model.compactedRevision = revision;
    assert.equal(this.#store.compactedRevision, revision);
  }

  async #reopen(): Promise<void> {
    if (this.#opened.reopen === undefined) return;
    await this.#checkWatches();
    await this.#store[Symbol.asyncDispose]();
    await Promise.all(this.#watches.map(({ done }) => done));
    this.#watches = [];
    this.#opened = await this.#opened.reopen();
    assert.equal(this.#store.revision, this.#model.revision);
    assert.equal(this.#store.compactedRevision, this.#model.compactedRevision);
  }

  async #checkWatches(): Promise<void> {
    for (const { watch, prefix, after, seen } of this.#watches) {
      while (watch.revision < this.#store.revision) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(seen, this.#model.changesAfter(after, prefix));
    }
  }
}

type RunningWatch = ReturnType<typeof watchAll>;

function watchAll(store: Store, prefix: string, after: number) {
  const watch = store.watch({ prefix, after, signal: new AbortController().signal });
  const seen: Change[] = [];
  const done = (async () => {
    for await (const batch of watch) seen.push(...batch);
  })();
  return { watch, prefix, after, seen, done };
}
