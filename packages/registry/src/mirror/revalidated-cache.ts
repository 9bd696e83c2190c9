import { type Clock, isTaplineError, TaplineError } from '@tapline/base';
import type { StoredAnswer } from './mirror-store.ts';

/** Where an answer came from. */
export type CacheOutcome = 'fresh' | 'revalidated' | 'stale';

export interface RevalidatedCacheInit {
  readonly store: {
    answer(key: string): StoredAnswer | undefined;
    putAnswer(key: string, answer: StoredAnswer): void;
    deleteAnswer(key: string): void;
  };
  readonly clock: Clock;
  /** How long a request waits for the upstream where it could be served what is known. */
  readonly patienceMs: number;
  /** How long the upstream may take at all. */
  readonly deadlineMs: number;
  /** How long an upstream that failed is not asked for what is known. */
  readonly awayMs: number;
  /** How long `nothing there` is believed. */
  readonly negativeTtlMs: number;
}

export interface Lookup {
  readonly key: string;
  /** What fails together: an upstream. */
  readonly source: string;
  readonly ttlMs: number;
  /** Undefined where there is no such thing. */
  readonly load: (signal: AbortSignal) => Promise<unknown>;
}

const maxNegative = 10_000;

/**
 * Answers of an upstream that may change. What is known is served at once while it is young, and
 * also later where the upstream does not answer soon: a request waits for what is not known only.
 * The same question is asked once, however many ask.
 */
export class RevalidatedCache {
  readonly #init: RevalidatedCacheInit;
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #awayUntil = new Map<string, number>();
  readonly #nothingUntil = new Map<string, number>();

  constructor(init: RevalidatedCacheInit) {
    this.#init = init;
  }

  /** Throws `upstream_unreachable` where nothing is known and the upstream does not answer. */
  async get(lookup: Lookup): Promise<{ readonly value: unknown; readonly outcome: CacheOutcome }> {
    const { store, clock, patienceMs } = this.#init;
    const { key, source, ttlMs } = lookup;
    const known = store.answer(key);
    const nowMs = clock.now();
    if (known !== undefined && nowMs - known.checkedMs < ttlMs) {
      return { value: known.value, outcome: 'fresh' };
    }
    const monotonicMs = clock.monotonic();
    if (known === undefined && (this.#nothingUntil.get(key) ?? 0) > monotonicMs) {
      return { value: undefined, outcome: 'fresh' };
    }
    const gone = (this.#awayUntil.get(source) ?? 0) > monotonicMs;
    if (known !== undefined && gone) return { value: known.value, outcome: 'stale' };
    const asked = this.#ask(lookup);
    if (known === undefined) return { value: await asked, outcome: 'revalidated' };
    const given = new AbortController();
    const patience = clock.sleep(patienceMs, { signal: given.signal }).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    try {
      const first = await Promise.race([asked.then((value) => ({ value })), patience]);
      if (first !== 'late') return { value: first.value, outcome: 'revalidated' };
      // Others need not wait as long for what it keeps us waiting for.
      this.#awayUntil.set(source, clock.monotonic() + this.#init.awayMs);
    } catch (error) {
      if (!isTaplineError(error, 'upstream_unreachable')) throw error;
    } finally {
      given.abort();
    }
    return { value: known.value, outcome: 'stale' };
  }

  #ask(lookup: Lookup): Promise<unknown> {
    const running = this.#running.get(lookup.key);
    if (running !== undefined) return running;
    const asked = this.#load(lookup).finally(() => this.#running.delete(lookup.key));
    // Nobody may be waiting any more when it fails.
    asked.catch(() => undefined);
    this.#running.set(lookup.key, asked);
    return asked;
  }

  async #load({ key, source, load }: Lookup): Promise<unknown> {
    const { store, clock, deadlineMs, negativeTtlMs } = this.#init;
    const stop = new AbortController();
    const done = new AbortController();
    void clock.sleep(deadlineMs, { signal: done.signal }).then(
      () =>
        stop.abort(
          new TaplineError('upstream_unreachable', `${source} took more than ${deadlineMs} ms`),
        ),
      () => undefined,
    );
    let value: unknown;
    try {
      value = await load(stop.signal);
    } catch (cause) {
      if (!isAway(cause)) throw cause;
      this.#awayUntil.set(source, clock.monotonic() + this.#init.awayMs);
      throw new TaplineError('upstream_unreachable', `${source} does not answer`, { cause });
    } finally {
      done.abort();
    }
    this.#awayUntil.delete(source);
    if (value !== undefined) {
      store.putAnswer(key, { value, checkedMs: clock.now() });
      return value;
    }
    store.deleteAnswer(key);
    if (this.#nothingUntil.size >= maxNegative) this.#nothingUntil.clear();
    this.#nothingUntil.set(key, clock.monotonic() + negativeTtlMs);
    return undefined;
  }
}

/** Whether an upstream could not say, rather than said no. */
function isAway(error: unknown): boolean {
  if (!isTaplineError(error)) return true;
  return (
    error.code === 'registry_unreachable' ||
    error.code === 'upstream_unreachable' ||
    error.details['retryable'] === true
  );
}
