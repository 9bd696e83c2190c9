import type { Rng } from './rng.ts';

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly rng: Rng;
}

/** Delay before attempt `attempt` (0 is the first retry): exponential with full jitter. */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return ceiling / 2 + (ceiling / 2) * options.rng();
}
