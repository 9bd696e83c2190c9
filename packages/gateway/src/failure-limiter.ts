import type { Clock } from '@tapline/base';

/** Counts what failed, by its source, so that guessing is slow and a fleet behind one address is not. */
export interface FailureLimiter {
  /** Milliseconds to wait, or 0 where a further try is welcome. */
  waitMs(source: string): number;
  failed(source: string): void;
}

interface Window {
  readonly startMs: number;
  failures: number;
}

const maxSources = 10_000;

/** At most `failures` failures a source in each `windowMs`. */
export function createFailureLimiter(init: {
  readonly clock: Clock;
  readonly failures: number;
  readonly windowMs: number;
}): FailureLimiter {
  const { clock, failures, windowMs } = init;
  const windows = new Map<string, Window>();

  function current(source: string): Window | undefined {
    const window = windows.get(source);
    return window !== undefined && clock.monotonic() - window.startMs < windowMs
      ? window
      : undefined;
  }

  return {
    waitMs(source) {
      const window = current(source);
      if (window === undefined || window.failures < failures) return 0;
      return window.startMs + windowMs - clock.monotonic();
    },
    failed(source) {
      const window = current(source) ?? { startMs: clock.monotonic(), failures: 0 };
      window.failures += 1;
      // Insertion order is age: the oldest source is forgotten first.
      windows.delete(source);
      windows.set(source, window);
      const oldest = windows.keys().next();
      if (windows.size > maxSources && oldest.done !== true) windows.delete(oldest.value);
    },
  };
}
