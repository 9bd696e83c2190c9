import { backoffMs, type Clock, type Rng } from '@tapline/base';

/** How long a program that keeps ending has to wait before it is started again. */
export interface RestartBackoff {
  ended(): void;
  /** It did not even start. */
  failed(): void;
  started(): void;
  waitMs(): number;
}

// Having run for this long, a program counts as well, and its next end as its first.
const stableMs = 60_000;

export function createRestartBackoff(init: {
  readonly clock: Clock;
  readonly rng: Rng;
}): RestartBackoff {
  const { clock, rng } = init;
  let failures = 0;
  let startedMs = clock.monotonic();
  let dueMs = startedMs;
  function failed(): void {
    dueMs = clock.monotonic() + backoffMs(failures, { baseMs: 100, maxMs: 60_000, rng });
    failures += 1;
  }

  return {
    failed,
    ended() {
      if (clock.monotonic() - startedMs >= stableMs) failures = 0;
      // The first restart is at once: most ends are single ones.
      if (failures === 0) failures = 1;
      else failed();
    },
    started() {
      startedMs = clock.monotonic();
    },
    waitMs: () => Math.max(0, dueMs - clock.monotonic()),
  };
}
