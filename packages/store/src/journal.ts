import type { Change } from './store.ts';

/** Where a store makes its changes durable. */
export interface Journal extends AsyncDisposable {
  /**
   * Resolves once all of the changes survive a crash. Fails with `store_full` when none of them
   * was kept; after any other error it is unknown whether they were.
   */
  append(changes: readonly Change[]): Promise<void>;
  /** Records the compacted revision and drops the changes of the `dead` revisions. */
  compact(revision: number, dead: readonly number[]): Promise<void>;
}

/** Keeps nothing: a store on it lives as long as its process. */
export const noJournal: Journal = {
  async append() {},
  async compact() {},
  async [Symbol.asyncDispose]() {},
};
