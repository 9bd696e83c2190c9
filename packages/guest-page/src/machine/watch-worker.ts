import { type Clock, TaplineError } from '@tapline/base';

const pingMs = 2000;

/** Sees whether a worker still answers. */
export interface WorkerWatch {
  /** It has said something. */
  heard(): void;
  /** Nobody waits for it any more. */
  end(): void;
}

/**
 * Asks a worker every two seconds whether it is there. Calls `onHung` with `guest_hung` where it has said
 * nothing for `watchdogMs`.
 */
export function watchWorker(init: {
  readonly ping: () => void;
  readonly onHung: (error: TaplineError) => void;
  readonly clock: Clock;
  readonly watchdogMs: number;
}): WorkerWatch {
  const { ping, onHung, clock, watchdogMs } = init;
  const over = new AbortController();
  let heardMs = clock.monotonic();

  async function watch(): Promise<void> {
    while (!over.signal.aborted) {
      ping();
      await clock.sleep(Math.min(pingMs, watchdogMs), { signal: over.signal });
      const silentMs = clock.monotonic() - heardMs;
      if (silentMs <= watchdogMs) continue;
      onHung(
        new TaplineError(
          'guest_hung',
          `the machine has not answered for ${Math.round(silentMs)} ms, more than ${watchdogMs}; it was ended`,
        ),
      );
    }
  }
  // It ends by its signal.
  watch().catch(() => {});
  return {
    heard: () => void (heardMs = clock.monotonic()),
    end: () => over.abort(),
  };
}
