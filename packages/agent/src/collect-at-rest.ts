import type { Clock } from '@tapline/base';

/** Notices when there has been nothing to do for a while. */
export interface RestWatch extends AsyncDisposable {
  /** Something is being done. */
  worked(): void;
}

/**
 * Calls `collect` once nothing was done for `quietMs`, and once more after the next work. An image's arrival
 * leaves buffers behind that V8 keeps as long as nobody needs their memory; a device may.
 */
export function collectAtRest(init: {
  readonly clock: Clock;
  readonly quietMs: number;
  readonly collect: () => void;
}): RestWatch {
  const { clock, quietMs, collect } = init;
  const stopping = new AbortController();
  let lastMs = 0;
  let waiting: Promise<void> | undefined;

  async function wait(): Promise<void> {
    try {
      for (;;) {
        const leftMs = lastMs + quietMs - clock.monotonic();
        if (leftMs <= 0) break;
        await clock.sleep(leftMs, { signal: stopping.signal });
      }
    } catch {
      // Stopping: the process's end gives back all there is.
      return;
    } finally {
      waiting = undefined;
    }
    collect();
  }

  return {
    worked() {
      lastMs = clock.monotonic();
      waiting ??= wait();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort('stopping');
      await waiting;
    },
  };
}
