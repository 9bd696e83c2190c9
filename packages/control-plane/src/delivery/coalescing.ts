import type { Clock } from '@tapline/base';

/** Spreads passes over a key whose changes come in bursts. */
export interface Coalescing {
  /** How long the next pass has to wait: nothing after a quiet time, else the rest of the window. */
  delayMs(key: string): number;
  /** A pass over the key begins. */
  passed(key: string): void;
  forget(key: string): void;
}

export function createCoalescing(clock: Clock, windowMs: number): Coalescing {
  const passes = new Map<string, number>();
  return {
    delayMs(key) {
      const last = passes.get(key);
      return last === undefined ? 0 : Math.max(0, last + windowMs - clock.monotonic());
    },
    passed(key) {
      passes.set(key, clock.monotonic());
    },
    forget(key) {
      passes.delete(key);
    },
  };
}
