import { type Clock, errorMessage, type Log } from '@tapline/base';
import type { FabricHelper } from './fabric-helper.ts';

/** Events come in swarms: one look serves all of them. */
const settleMs = 100;
/** Looking may take that part of the time, however many events come. */
const restFactor = 3;

/** Calls `resync` a while after events, and every so often without any. */
export function watchDrift(init: {
  readonly helper: FabricHelper;
  readonly clock: Clock;
  readonly log: Log;
  readonly resyncMs: number;
  readonly resync: () => Promise<void>;
  /** Whether what just happened is of our own doing. */
  readonly busy: () => boolean;
  /** How long what happens may still be of our own doing: it is looked at, but not before. */
  readonly echoMs: () => number;
}): AsyncDisposable {
  const { helper, clock, log, resyncMs, resync, busy, echoMs } = init;
  const stop = new AbortController();
  let hint = Promise.withResolvers<void>();
  helper.onHint((why) => {
    if (why === 'restart' || !busy()) hint.resolve();
  });

  async function run(): Promise<void> {
    let restMs = 0;
    while (!stop.signal.aborted) {
      const wait = new AbortController();
      const signal = AbortSignal.any([stop.signal, wait.signal]);
      await Promise.race([hint.promise, pause(resyncMs, signal)]);
      wait.abort();
      await pause(Math.max(settleMs, restMs, echoMs()), stop.signal);
      if (stop.signal.aborted) return;
      hint = Promise.withResolvers<void>();
      const start = clock.monotonic();
      await resync().catch((error: unknown) =>
        log.error('looking for drift failed', { error: errorMessage(error) }),
      );
      restMs = restFactor * (clock.monotonic() - start);
    }
  }

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, { signal }).catch(() => {});
  }

  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
