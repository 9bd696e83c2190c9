/**
 * Time as a dependency. `now` is wall time for people and certificates; durations and ordering come
 * from `monotonic`, which no clock adjustment moves.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, with a fraction. */
  now(): number;
  /** Milliseconds since an arbitrary start, never going back. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}
