import { type Clock, TaplineError } from '@tapline/base';
import type { InstallSpec } from '@tapline/resources';
import type { ExitStatus, ProcessIo, Runtime } from '@tapline/runtimes';
import type { InstallState } from './agent-state.ts';
import { checkHealth, healthCommand } from './check-health.ts';
import {
  containerId,
  type ContainerOwner,
  containerSpecOf,
  processOf,
} from './container-spec-of.ts';
import type { ContainerTable } from './container-table.ts';
import type { ImageStore } from './image-store.ts';
import type { WorkloadPlaces } from './segments/workload-places.ts';

/** Starts and proves the programs of one Install. */
export interface InstallPrograms {
  start(spec: InstallSpec): Promise<void>;
  /** Resolves when the revision is healthy. Throws `health_check_failed`, `program_ended`. */
  prove(
    spec: InstallSpec,
    options: { readonly signal: AbortSignal; readonly onSpawn: () => void },
  ): Promise<void>;
  /** Removes what proving left behind. */
  tidy(revision: number): Promise<void>;
}

export function createInstallPrograms(init: {
  readonly device: string;
  readonly uid: string;
  readonly state: InstallState;
  readonly images: ImageStore;
  readonly runtime: Runtime;
  readonly containers: ContainerTable;
  readonly clock: Clock;
  readonly places?: WorkloadPlaces | undefined;
}): InstallPrograms {
  const { device, uid, state, images, runtime, containers, clock, places } = init;

  function owner(): ContainerOwner {
    return { device, uid, install: state.record(uid)?.name ?? uid };
  }

  /** A program starts with its interface, or not at all. */
  async function placeOf({ segment }: InstallSpec): Promise<string | undefined> {
    if (segment === undefined) return undefined;
    return await places?.open(owner().install, segment);
  }

  function healthId(revision: number): string {
    return `${containerId(uid, revision)}.health`;
  }

  function assertRunning(revision: number): void {
    const own = containers.of(uid).find((container) => container.revision === revision);
    if (own?.status === 'running') return;
    throw new TaplineError(
      'program_ended',
      `the program ended with exit code ${own?.exitCode ?? 'unknown'} before it was healthy`,
      { hint: 'read its output with `tapline logs`' },
    );
  }

  /** What runs is asked inside of its own container. */
  async function asker(
    spec: InstallSpec,
    command: readonly string[],
  ): Promise<(io: ProcessIo) => Promise<ExitStatus>> {
    const root = await images.root(spec.image);
    return (io) => {
      assertRunning(spec.revision);
      const id = containerId(uid, spec.revision);
      return runtime.exec(id, processOf(spec, root, command), io);
    };
  }

  /** What runs on demand is run: each attempt in a container of its own. */
  async function runner(
    spec: InstallSpec,
    command: readonly string[],
    onSpawn: () => void,
  ): Promise<(io: ProcessIo) => Promise<ExitStatus>> {
    const root = await images.root(spec.image);
    const id = healthId(spec.revision);
    const prepared = await runtime.prepare(
      containerSpecOf(spec, root, {
        id,
        command,
        owner: owner(),
        namespace: await placeOf(spec),
      }),
    );
    return (io) => {
      onSpawn();
      return runtime.run(prepared, io);
    };
  }

  return {
    async start(spec) {
      const command = spec.run?.command ?? [];
      const id = containerId(uid, spec.revision);
      const root = await images.root(spec.image);
      const namespace = await placeOf(spec);
      await runtime.start(containerSpecOf(spec, root, { id, command, owner: owner(), namespace }));
      containers.started(uid, spec.revision);
    },
    async prove(spec, { signal, onSpawn }) {
      const command = healthCommand(spec);
      if (command !== undefined) {
        const run =
          spec.run === undefined
            ? await runner(spec, command, onSpawn)
            : await asker(spec, command);
        await checkHealth(spec, { run, clock, signal });
      }
      if (spec.run !== undefined) assertRunning(spec.revision);
    },
    tidy: (revision) => runtime.remove(healthId(revision)),
  };
}
