import type { Clock } from '@tapline/base';
import type { Runtime } from '@tapline/runtimes';
import { containerId } from './container-spec-of.ts';
import type { ContainerTable } from './container-table.ts';
import type { InstallPorts } from './ports/install-ports.ts';

/** Ends the programs of one Install. */
export interface InstallEndings {
  stop(revision: number): Promise<void>;
  /** Stops it once it has no connections or its time is over; not at all where a program ends meanwhile. */
  drain(
    revision: number,
    options: {
      readonly seconds: number | undefined;
      /** Resolves when any program of the Install ends. */
      readonly ended: Promise<void>;
      readonly signal: AbortSignal;
    },
  ): Promise<void>;
  /** Removes what is left of a program that has ended. */
  remove(revision: number): Promise<void>;
}

const lookMs = 100;
const defaultDrainSeconds = 30;

export function createInstallEndings(init: {
  readonly uid: string;
  readonly runtime: Runtime;
  readonly containers: ContainerTable;
  readonly ports?: InstallPorts | undefined;
  /** How long a program may take to end when asked to. */
  readonly stopGraceMs: number;
  readonly clock: Clock;
}): InstallEndings {
  const { uid, runtime, containers, ports, stopGraceMs, clock } = init;
  /** Until when the connections of a revision are waited for: an interrupted wait does not begin again. */
  const drains = new Map<number, number>();

  async function stop(revision: number): Promise<void> {
    // Before the runtime says so: an end that we ask for is not one to restart after.
    containers.stopped(uid, revision);
    try {
      await runtime.stop(containerId(uid, revision), { graceMs: stopGraceMs });
    } catch (error) {
      containers.started(uid, revision);
      throw error;
    }
  }

  return {
    stop,
    async drain(revision, { seconds = defaultDrainSeconds, ended, signal }) {
      const until = drains.get(revision) ?? clock.monotonic() + seconds * 1000;
      drains.set(revision, until);
      const hasEnded = ended.then(() => true);
      while (clock.monotonic() < until) {
        const open = (await ports?.state(uid))?.connections[String(revision)] ?? 0;
        if (open === 0) break;
        const pause = clock.sleep(lookMs, { signal }).then(() => false);
        if (await Promise.race([hasEnded, pause])) return;
      }
      drains.delete(revision);
      await stop(revision);
    },
    async remove(revision) {
      await runtime.remove(containerId(uid, revision));
      containers.removed(uid, revision);
    },
  };
}
