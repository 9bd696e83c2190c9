import { type Clock, TaplineError } from '@tapline/base';
import type { InstallSpec } from '@tapline/resources';
import type { ExitStatus, ProcessIo, Runtime } from '@tapline/runtimes';
import type { InstallState } from './agent-state.ts';
import { checkHealth, healthCommand } from './check-health.ts';
import {
  commandOf,
  containerId,
  type ContainerOwner,
  containerSpecOf,
  processOf,
} from './container-spec-of.ts';
import type { ContainerTable } from './container-table.ts';
import type { ImageStore } from './image-store.ts';
import type { InstallPorts, PortsOwner } from './ports/install-ports.ts';
import type { WorkloadPlaces } from './segments/workload-places.ts';

/** Starts and proves the programs of one Install. */
export interface InstallPrograms {
  start(spec: InstallSpec): Promise<void>;
  /** Resolves when the revision is healthy. Throws `health_check_failed`, `program_ended`. */
  prove(
    spec: InstallSpec,
    options: { readonly signal: AbortSignal; readonly onSpawn: () => void },
  ): Promise<void>;
  /** Gives the Install's ports to the revision. */
  movePorts(spec: InstallSpec): Promise<void>;
  /** Removes what proving left behind. */
  tidy(revision: number): Promise<void>;
}

const lookMs = 100;

export function createInstallPrograms(init: {
  readonly device: string;
  readonly uid: string;
  readonly state: InstallState;
  readonly images: ImageStore;
  readonly runtime: Runtime;
  readonly containers: ContainerTable;
  readonly clock: Clock;
  readonly places?: WorkloadPlaces | undefined;
  readonly ports?: InstallPorts | undefined;
}): InstallPrograms {
  const { device, uid, state, images, runtime, containers, clock, places, ports } = init;

  function owner(): ContainerOwner {
    return { device, uid, install: state.record(uid)?.name ?? uid };
  }

  /** A program starts with its interface, or not at all. */
  async function placeOf({ segment }: InstallSpec): Promise<string | undefined> {
    if (segment === undefined) return undefined;
    return await places?.open(owner().install, segment);
  }

  /** Who holds the ports of a program, and for whom; undefined for one without. */
  function heldBy(
    { revision, ports: wanted }: InstallSpec,
    namespace: string | undefined,
  ): { readonly ports: InstallPorts; readonly of: PortsOwner } | undefined {
    if (wanted === undefined) return undefined;
    if (ports === undefined || !['runc', 'unconfined'].includes(runtime.name)) {
      throw new TaplineError(
        'ports_unsupported',
        `runtime ${runtime.name} of this device holds no ports open for programs`,
        { hint: 'leave spec.ports out, or select nodes with runc' },
      );
    }
    return { ports, of: { uid, revision, ports: wanted, namespace } };
  }

  async function pidOf({ revision }: InstallSpec): Promise<number> {
    const id = containerId(uid, revision);
    const pid = (await runtime.list()).find((one) => one.id === id)?.pid;
    if (pid !== undefined) return pid;
    throw new TaplineError('program_ended', `the program of revision ${revision} has ended`, {
      hint: 'read its output with `tapline logs`',
    });
  }

  /** It is looked at until it answers, as programs take their time to listen. */
  async function proveByPorts(spec: InstallSpec, signal: AbortSignal): Promise<void> {
    const { attempts = 1, timeoutSeconds = 10, http } = spec.health ?? {};
    const until = clock.monotonic() + attempts * timeoutSeconds * 1000;
    const held = heldBy(spec, await placeOf(spec));
    if (held === undefined) return;
    for (;;) {
      assertRunning(spec.revision);
      const { healthy, why } = await held.ports.probe(held.of, await pidOf(spec), http);
      if (healthy) return;
      if (clock.monotonic() > until) {
        throw new TaplineError(
          'health_check_failed',
          `its port ${spec.ports?.[0]?.port} is not healthy after ${attempts * timeoutSeconds} s: ${why}`,
          { details: { revision: spec.revision } },
        );
      }
      await clock.sleep(lookMs, { signal });
    }
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
      const id = containerId(uid, spec.revision);
      const root = await images.root(spec.image);
      const command = commandOf(spec, root);
      const namespace = await placeOf(spec);
      const held = heldBy(spec, namespace);
      const env = held && (await held.ports.environment(held.of));
      const container = { id, command, owner: owner(), namespace, env };
      const { pid } = await runtime.start(containerSpecOf(spec, root, container));
      containers.started(uid, spec.revision);
      // One that starts again may be in another network.
      if (held !== undefined && (await held.ports.state(uid))?.revision === spec.revision) {
        await held.ports.move(held.of, pid);
      }
    },
    async movePorts(spec) {
      const held = heldBy(spec, await placeOf(spec));
      if (held !== undefined) await held.ports.move(held.of, await pidOf(spec));
    },
    async prove(spec, { signal, onSpawn }) {
      const command = spec.ports === undefined ? healthCommand(spec) : spec.health?.command;
      if (command !== undefined) {
        const run =
          spec.run === undefined
            ? await runner(spec, command, onSpawn)
            : await asker(spec, command);
        await checkHealth(spec, { run, clock, signal });
      }
      if (spec.ports !== undefined && spec.health?.command === undefined) {
        await proveByPorts(spec, signal);
      }
      if (spec.run !== undefined) assertRunning(spec.revision);
    },
    tidy: (revision) => runtime.remove(healthId(revision)),
  };
}
