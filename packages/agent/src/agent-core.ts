import { type Clock, errorMessage, type Log, type Rng } from '@tapline/base';
import type { SessionInit } from '@tapline/gateway';
import type { Digest } from '@tapline/oci';
import { createInformer, WorkQueue } from '@tapline/reconcile';
import { type Install, installResource } from '@tapline/resources';
import type { Runtime } from '@tapline/runtimes';
import { type Span, traceParentAnnotation } from '@tapline/telemetry';
import { type AgentMetrics, noMetrics } from './agent-metrics.ts';
import type { InstallState } from './agent-state.ts';
import { createContainerTable } from './container-table.ts';
import { createDeviceService, type FollowLog } from './device-service.ts';
import type { SharedFolder } from './files/shared-folder.ts';
import type { ImageStore } from './image-store.ts';
import { newRecord } from './install-record.ts';
import type { InstallFeed } from './installs/install-feed.ts';
import { InstallWorker } from './install-worker.ts';
import type { WorkloadPlaces } from './segments/workload-places.ts';
import type { InstallPorts } from './ports/install-ports.ts';
import { createStatusReporter } from './status-reporter.ts';

/** A device's agent without its process: what decides and acts, over what it is given. */
export interface AgentCoreInit {
  readonly device: string;
  readonly installs: InstallFeed;
  readonly state: InstallState;
  readonly images: ImageStore;
  readonly runtime: Runtime;
  /** What a program of the runtime has printed. */
  readonly followLog: FollowLog;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly metrics?: AgentMetrics;
  /** Where the times of Installs go, as part of a delivery's trace. */
  readonly onSpans?: (spans: readonly Span[]) => void;
  /** Installs worked on at once. */
  readonly parallelInstalls?: number;
  /** Where this is a node: where its programs in segments are. */
  readonly places?: WorkloadPlaces;
  /** Who holds the ports of programs open; none has any where absent. */
  readonly ports?: (onLost: (uid: string) => void) => InstallPorts;
  /** The folder whose files users may read and write; none where absent. */
  readonly files?: SharedFolder;
  /** Where this is a node: what its kernel has. */
  readonly observeNode?: () => Promise<unknown>;
  /** Something was done of an Install. */
  readonly onWork?: () => void;
  /** How long a program may take to end when asked to, before it is killed; 10 s unless given. */
  readonly stopGraceMs?: number;
}

/** Disposing it leaves running what runs: the next life of the agent adopts it. */
export interface AgentCore extends AsyncDisposable {
  /** Resolves when the device's Installs were listed for the first time. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  /** Resolves when there is nothing to do for now. */
  idle(): Promise<void>;
  /** What the gateway may call. */
  readonly service: SessionInit['service'];
}

const garbageDelayMs = 1000;

export async function createAgentCore(init: AgentCoreInit): Promise<AgentCore> {
  const { device, installs, state, images, runtime, clock, rng, log } = init;
  const { metrics = noMetrics } = init;
  const workers = new Map<string, InstallWorker>();
  const ports = init.ports?.((uid) => queue.add(uid));
  const reporter = createStatusReporter({
    ...init,
    // What the control plane was told must not be unknown to the device after a loss of power.
    settle: async () => {
      await images.sync();
      await state.barrier();
    },
  });
  const containers = await createContainerTable({
    runtime,
    onEnd: ({ uid, revision, exitCode }) => {
      log.info('program ended', { install: state.record(uid)?.name, revision, exitCode });
      workers.get(uid)?.containerEnded();
      queue.add(uid);
    },
    onError: (error) => log.error('container is not watched any more', { error }),
  });
  const queue = new WorkQueue({
    clock,
    rng,
    concurrency: init.parallelInstalls ?? 8,
    baseBackoffMs: 200,
    maxBackoffMs: 60_000,
    run: (uid, { signal }) => workerOf(uid).run(signal),
    onError: (uid, error, retryAfterMs) =>
      log.info('install is tried again', {
        install: state.record(uid)?.name,
        retryAfterMs,
        error: errorMessage(error),
      }),
  });
  const garbage = new WorkQueue({
    clock,
    rng,
    run: async () => {
      await images.collect(neededImages());
      return { done: true };
    },
    onError: (_key, error) => log.warn('unneeded images were not deleted', { error }),
  });

  // What no record speaks of is a leftover of a crash before its Install was forgotten.
  for (const uid of containers.uids()) {
    if (state.record(uid) !== undefined) continue;
    for (const { revision } of containers.of(uid)) await runtime.remove(`${uid}.r${revision}`);
  }
  // Also without the control plane: what ran before a crash or a reboot runs again.
  for (const record of state.records()) queue.add(record.uid);
  garbage.addAfter('images', garbageDelayMs);

  const informer = createInformer(installs, installResource, { clock, rng, log });
  // Orders that could not be noted, as on a full disk: nobody will send them again.
  const unnoted = new WorkQueue({
    clock,
    rng,
    baseBackoffMs: 500,
    maxBackoffMs: 30_000,
    run: (name) => {
      forgetUnlisted();
      const install = informer.get(name);
      if (install !== undefined) accept(install);
      return Promise.resolve({ done: true });
    },
    onError: (name, error, retryAfterMs) =>
      log.warn('install cannot be noted', { install: name, retryAfterMs, error }),
  });
  informer.onChange((change) => {
    const { name, uid } = change.object.metadata;
    try {
      if (change.kind === 'deleted') vanished(uid);
      else accept(change.object);
    } catch (error) {
      log.warn('install cannot be noted', { install: name, error });
      unnoted.add(name);
    }
  });
  const synced = informer.synced.then(() => {
    try {
      forgetUnlisted();
    } catch (error) {
      log.warn('deleted installs cannot be noted', { error });
      // No Install has this name, so that what is unlisted is looked for.
      unnoted.add('');
    }
    return undefined;
  });
  // Whoever does not wait for it must not bring the process down.
  synced.catch((error: unknown) => log.debug('installs were never listed', { error }));

  function accept(install: Install): void {
    const { uid, name, deletionTimestamp } = install.metadata;
    if (uid === undefined || install.spec.device !== device) return;
    if (deletionTimestamp !== undefined) {
      vanished(uid);
      return;
    }
    const record = state.record(uid);
    if (record !== undefined && install.spec.revision <= record.desired.revision) {
      if (install.spec.revision === record.desired.revision) remindIfUnknown(install);
      return;
    }
    state.put(
      record === undefined
        ? newRecord({ uid, name, desired: install.spec })
        : { ...record, desired: install.spec },
    );
    workerOf(uid).seen(install.spec, install.metadata.annotations?.[traceParentAnnotation]);
    queue.add(uid);
  }

  /** Says again what the control plane was told once and does not know, as after a restored backup. */
  function remindIfUnknown({ metadata, spec, status }: Install): void {
    const { uid } = metadata;
    const record = uid === undefined ? undefined : state.record(uid);
    if (record === undefined) return;
    const good = record.active?.revision === spec.revision;
    if (!good && record.failed?.revision !== spec.revision) return;
    const states = good ? ['Ready'] : ['RolledBack', 'Failed'];
    // What waits to be said may be how far it had come when the agent was killed.
    const said = state.outboxEntry(record.uid)?.status ?? status;
    if (said?.observedRevision === spec.revision && states.includes(said.state ?? '')) return;
    workerOf(record.uid).remind();
    queue.add(record.uid);
  }

  function vanished(uid: string | undefined): void {
    const record = uid === undefined ? undefined : state.record(uid);
    if (record === undefined) return;
    state.put({ ...record, removing: true });
    workerOf(record.uid).removed();
    queue.add(record.uid);
  }

  /** Installs that were deleted while nobody here could hear of it. */
  function forgetUnlisted(): void {
    const listed = new Set(informer.list().map(({ metadata }) => metadata.uid));
    for (const { uid } of state.records()) if (!listed.has(uid)) vanished(uid);
  }

  function workerOf(uid: string): InstallWorker {
    const known = workers.get(uid);
    if (known !== undefined) return known;
    const worker = new InstallWorker({
      ...init,
      stopGraceMs: init.stopGraceMs ?? 10_000,
      ports,
      uid,
      containers,
      reporter,
      metrics,
      onGarbage: () => {
        init.onWork?.();
        garbage.addAfter('images', garbageDelayMs);
        if (state.record(uid) === undefined) workers.delete(uid);
      },
      collectGarbage: () => images.collect(neededImages()),
    });
    workers.set(uid, worker);
    return worker;
  }

  /** Of each Install the wanted image, unless it proved bad, the one that is served, and one before. */
  function neededImages(): ReadonlySet<Digest> {
    const digests = state
      .records()
      .flatMap(({ desired, active, previous, failed }) => [
        ...(failed?.revision === desired.revision ? [] : [desired]),
        ...(active === undefined ? [] : [active]),
        ...(previous === undefined ? [] : [previous]),
      ]);
    return new Set(digests.map(({ image }) => image.digest as Digest));
  }

  return {
    synced,
    get isSynced() {
      return informer.isSynced;
    },
    idle: () => queue.idle(),
    service: createDeviceService({ ...init, containers }),
    async [Symbol.asyncDispose]() {
      await informer[Symbol.asyncDispose]();
      await unnoted[Symbol.asyncDispose]();
      await queue[Symbol.asyncDispose]();
      await garbage[Symbol.asyncDispose]();
      await reporter[Symbol.asyncDispose]();
      await containers[Symbol.asyncDispose]();
      await ports?.[Symbol.asyncDispose]();
    },
  };
}
