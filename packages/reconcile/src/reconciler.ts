import { type Clock, type Log, type Rng, TaplineError } from '@tapline/base';
import type { AnyObject } from './any-object.ts';
import type { Change } from './change.ts';
import type { Informer } from './informer.ts';
import { type Outcome, WorkQueue } from './work-queue.ts';

/** Where a reconciler's keys come from: see `watch`. */
export interface Watch {
  readonly synced: Promise<void>;
  /** Feeds keys from what is there and from what changes; gives back what ends that. */
  attach(enqueue: Enqueue): () => void;
}

/** Adds a key, after `afterMs` where one is given. */
export type Enqueue = (key: string, afterMs?: number) => void;

/** Keys from an informer: `keys` adds those that a change concerns. */
export function watch<T extends AnyObject, Index extends string>(
  informer: Informer<T, Index>,
  keys: (change: Change<T>, enqueue: Enqueue) => void,
): Watch {
  return {
    synced: informer.synced,
    attach(enqueue) {
      for (const object of informer.list()) keys({ kind: 'added', object }, enqueue);
      return informer.onChange((change) => keys(change, enqueue));
    },
  };
}

/** What is counted of each pass. */
export interface ReconcileMetrics {
  /** After each pass: how long it took and how it ended. */
  observe(pass: {
    readonly reconciler: string;
    readonly seconds: number;
    readonly outcome: 'done' | 'requeued' | 'error';
  }): void;
}

export interface ReconcilerInit {
  readonly name: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly watches: readonly Watch[];
  /**
   * Brings one key nearer to what it should be; must be idempotent. Throwing means to try again
   * with backoff; what is permanent belongs into the object's conditions and is `done`.
   */
  readonly reconcile: (
    key: string,
    context: { readonly signal: AbortSignal; readonly failures: number },
  ) => Promise<Outcome>;
  readonly metrics?: ReconcileMetrics;
  readonly concurrency?: number;
  readonly baseBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

/** A loop that keeps the objects of one kind as they should be. */
export interface Reconciler extends AsyncDisposable {
  readonly name: string;
  /** Resolves when the watched kinds are in the caches and passes have begun. */
  readonly started: Promise<void>;
  readonly enqueue: Enqueue;
  /** Keys that wait for a slot. */
  readonly depth: number;
  /** Resolves when nothing runs and nothing waits for a slot. */
  idle(): Promise<void>;
}

/** Starts the loop; no pass runs before all watched kinds are in their caches. */
export function createReconciler(init: ReconcilerInit): Reconciler {
  const { name, clock, rng, metrics, reconcile } = init;
  const log = init.log.with({ reconciler: name });
  const queue = new WorkQueue({
    clock,
    rng,
    paused: true,
    ...(init.concurrency === undefined ? {} : { concurrency: init.concurrency }),
    ...(init.baseBackoffMs === undefined ? {} : { baseBackoffMs: init.baseBackoffMs }),
    ...(init.maxBackoffMs === undefined ? {} : { maxBackoffMs: init.maxBackoffMs }),
    onError(key, error, retryAfterMs) {
      const code = error instanceof TaplineError ? error.code : 'internal';
      log.warn('reconcile failed', { key, code, retryAfterMs, error });
    },
    async run(key, context) {
      const startMs = clock.monotonic();
      let outcome: 'done' | 'requeued' | 'error' = 'error';
      try {
        const result = await reconcile(key, context);
        outcome = 'done' in result ? 'done' : 'requeued';
        return result;
      } finally {
        const seconds = (clock.monotonic() - startMs) / 1000;
        metrics?.observe({ reconciler: name, seconds, outcome });
      }
    },
  });
  function enqueue(key: string, afterMs = 0): void {
    if (afterMs > 0) queue.addAfter(key, afterMs);
    else queue.add(key);
  }
  const detach = init.watches.map((source) => source.attach(enqueue));
  const started = Promise.all(init.watches.map((source) => source.synced)).then(() =>
    queue.resume(),
  );
  started.catch(() => undefined);
  return {
    name,
    started,
    enqueue,
    get depth() {
      return queue.depth;
    },
    idle: () => queue.idle(),
    async [Symbol.asyncDispose]() {
      for (const end of detach) end();
      await queue[Symbol.asyncDispose]();
    },
  };
}
