import { backoffMs, type Clock, type Rng } from '@tapline/base';

/** How a key ended: nothing left to do, or look again after a while. Failures are thrown. */
export type Outcome = { readonly done: true } | { readonly requeueAfterMs: number };

export interface WorkQueueInit {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Works on one key; `failures` counts how often in a row it has thrown. */
  readonly run: (
    key: string,
    context: { readonly signal: AbortSignal; readonly failures: number },
  ) => Promise<Outcome>;
  /** Called when `run` threw; the key runs again after `retryAfterMs`. */
  readonly onError?: (key: string, error: unknown, retryAfterMs: number) => void;
  /** How many keys run at the same time. */
  readonly concurrency?: number;
  readonly baseBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Whether to hold all keys until `resume`. */
  readonly paused?: boolean;
}

interface Delay {
  readonly dueMs: number;
  readonly cancel: AbortController;
}

/**
 * Keys to work on. A key never runs twice at once, runs once however often it was added while it
 * waited, and again when it was added while it ran. First come, first served, so no key starves.
 */
export class WorkQueue implements AsyncDisposable {
  readonly #init: WorkQueueInit;
  readonly #concurrency: number;
  readonly #stop = new AbortController();
  /** Waiting keys in order; a Set keeps insertion order and knows what it holds. */
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  /** Running keys to run again: with what they were asked while running. */
  readonly #again = new Set<string>();
  readonly #delays = new Map<string, Delay>();
  readonly #failures = new Map<string, number>();
  #paused: boolean;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(init: WorkQueueInit) {
    this.#init = init;
    this.#concurrency = init.concurrency ?? 1;
    this.#paused = init.paused ?? false;
  }

  /** Keys that could run now but have no slot. */
  get depth(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running.size;
  }

  resume(): void {
    this.#paused = false;
    this.#fill();
  }

  /** Runs `key` as soon as a slot is free; a delay it was waiting for is over. */
  add(key: string): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelDelay(key);
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#fill();
  }

  /** Adds `key` after `ms`, or earlier where an earlier delay is under way or it waits already. */
  addAfter(key: string, ms: number): void {
    if (this.#stop.signal.aborted || this.#waiting.has(key) || this.#again.has(key)) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#init.clock.monotonic() + ms;
    const current = this.#delays.get(key);
    if (current !== undefined && current.dueMs <= dueMs) return;
    this.#cancelDelay(key);
    const cancel = new AbortController();
    this.#delays.set(key, { dueMs, cancel });
    void this.#wake(key, ms, cancel);
  }

  /** Resolves when nothing runs and nothing waits for a slot; delayed keys do not count. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Takes no key any more, tells running ones to end, and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException('the queue was stopped', 'AbortError'));
    for (const key of this.#delays.keys()) this.#cancelDelay(key);
    this.#waiting.clear();
    this.#again.clear();
    await this.idle();
  }

  async #wake(key: string, ms: number, cancel: AbortController): Promise<void> {
    try {
      await this.#init.clock.sleep(ms, { signal: cancel.signal });
    } catch (error) {
      if (cancel.signal.aborted) return;
      throw error;
    }
    // Between the timer and this turn the key may have been given another delay.
    if (this.#delays.get(key)?.cancel === cancel) this.add(key);
  }

  #cancelDelay(key: string): void {
    this.#delays.get(key)?.cancel.abort('not waited for any more');
    this.#delays.delete(key);
  }

  #fill(): void {
    if (this.#paused) return;
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#concurrency) return;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#work(key);
    }
  }

  async #work(key: string): Promise<void> {
    const failures = this.#failures.get(key) ?? 0;
    let requeueAfterMs: number | undefined;
    try {
      const outcome = await this.#init.run(key, { signal: this.#stop.signal, failures });
      this.#failures.delete(key);
      if ('requeueAfterMs' in outcome) ({ requeueAfterMs } = outcome);
    } catch (error) {
      const { baseBackoffMs: baseMs = 100, maxBackoffMs: maxMs = 300_000, rng } = this.#init;
      requeueAfterMs = backoffMs(failures, { baseMs, maxMs, rng });
      this.#failures.set(key, failures + 1);
      if (!this.#stop.signal.aborted) this.#init.onError?.(key, error, requeueAfterMs);
    }
    this.#running.delete(key);
    if (this.#again.delete(key)) this.#waiting.add(key);
    else if (requeueAfterMs !== undefined) this.addAfter(key, requeueAfterMs);
    this.#fill();
    if (this.#isIdle()) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  #isIdle(): boolean {
    return this.#running.size === 0 && this.#waiting.size === 0;
  }
}
