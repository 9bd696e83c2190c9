import { type Clock, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { RegistryAdmin } from '@tapline/registry';

/** Collects the registry's garbage every so often; 0 never does. */
export function collectRegularly(init: {
  readonly admin: Pick<RegistryAdmin, 'collect'>;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
}): AsyncDisposable {
  const { admin, everyMs, clock, log } = init;
  const stopping = new AbortController();

  async function run(): Promise<void> {
    const { signal } = stopping;
    for (;;) {
      try {
        await clock.sleep(everyMs, { signal });
        const report = await admin.collect({ signal });
        const { blobs, bytes, links, uploads } = report;
        log.info('registry: garbage collected', { blobs, bytes, links, uploads });
      } catch (error) {
        if (signal.aborted) return;
        // An administrator's is under way.
        if (!isTaplineError(error, 'collection_running')) {
          log.error('registry: garbage collection failed', { error });
        }
      }
    }
  }

  const running = everyMs === 0 ? undefined : run();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('stopped', 'the control plane is stopping'));
      await running;
    },
  };
}
