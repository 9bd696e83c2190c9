import type { Clock } from '@tapline/base';
import type { Install } from '@tapline/resources';

/**
 * How long it took that devices heard of their Installs: from our write to their final status by
 * our monotonic clock, less what the device says it took by its own. Held in memory only, because a
 * monotonic clock means nothing to the next process.
 */
export interface NotificationTimes {
  /** We are about to write this revision of the Install. */
  written(name: string, revision: number): void;
  /** Its status changed. Gives back the seconds when this ended the measurement. */
  observed(install: Install): number | undefined;
  secondsOf(install: Install): number | undefined;
  forget(name: string): void;
}

export function createNotificationTimes(clock: Clock): NotificationTimes {
  const times = new Map<string, { revision: number; writtenMs: number; seconds?: number }>();
  function find(install: Install): { writtenMs: number; seconds?: number } | undefined {
    const found = times.get(install.metadata.name);
    return found?.revision === install.spec.revision ? found : undefined;
  }
  return {
    written(name, revision) {
      times.set(name, { revision, writtenMs: clock.monotonic() });
    },
    observed(install) {
      const { status, spec } = install;
      const found = find(install);
      const total = status?.stages?.['total'];
      if (found === undefined || found.seconds !== undefined || total === undefined)
        return undefined;
      if (status?.observedRevision !== spec.revision || status.state !== 'Ready') return undefined;
      // The two clocks may tick differently by a little; a device cannot have heard before.
      found.seconds = Math.max(0, (clock.monotonic() - found.writtenMs) / 1000 - total);
      return found.seconds;
    },
    secondsOf: (install) => find(install)?.seconds,
    forget(name) {
      times.delete(name);
    },
  };
}
