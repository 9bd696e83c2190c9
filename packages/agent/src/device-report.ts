import type { Clock, Log } from '@tapline/base';
import type { DeviceReport, Session } from '@tapline/gateway';
import type { Runtime } from '@tapline/runtimes';
import { agentPlatform } from './agent-platform.ts';
import type { IdentityKeeper } from './identity-keeper.ts';
import type { ImageStore } from './image-store.ts';

const storageReportMs = 30_000;

/** What a device says of itself as its session begins, and again when it says something else. */
export async function createReport(
  images: ImageStore,
  init: {
    readonly version: string;
    readonly runtime: Runtime;
    readonly keeper: IdentityKeeper;
    readonly boot: string;
  },
): Promise<{ readonly current: () => DeviceReport; readonly refresh: () => Promise<boolean> }> {
  let storage = await images.storage();
  return {
    current: () => ({
      agentVersion: init.version,
      platform: agentPlatform(init.runtime.name),
      bootId: init.boot,
      runtimes: [init.runtime.name],
      storage,
      certificateNotAfter: new Date(init.keeper.current.notAfter).toISOString(),
    }),
    /** Whether it is worth telling: other programs use the disk too, a little all the time. */
    async refresh() {
      const before = storage;
      storage = await images.storage();
      const change = Math.abs(storage.freeBytes - before.freeBytes);
      return storage.usedBytes !== before.usedBytes || change > before.freeBytes / 100;
    },
  };
}

export function keepReporting(
  session: Session,
  init: {
    readonly refresh: () => Promise<boolean>;
    readonly clock: Clock;
    readonly log: Log;
  },
): AsyncDisposable {
  const { refresh, clock, log } = init;
  const stopping = new AbortController();
  async function run(): Promise<void> {
    try {
      for (;;) {
        await clock.sleep(storageReportMs, { signal: stopping.signal });
        if (await refresh()) session.refresh();
      }
    } catch (error) {
      if (!stopping.signal.aborted) log.error('storage is not reported any more', { error });
    }
  }
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await running;
    },
  };
}
