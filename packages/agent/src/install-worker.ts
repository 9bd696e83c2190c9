import { type Clock, isTaplineError, type Log, type Rng, TaplineError } from '@tapline/base';
import type { Outcome } from '@tapline/reconcile';
import type { InstallSpec } from '@tapline/resources';
import type { Runtime } from '@tapline/runtimes';
import { parseTraceParent, type Span } from '@tapline/telemetry';
import type { AgentMetrics } from './agent-metrics.ts';
import type { InstallState } from './agent-state.ts';
import { containerId } from './container-spec-of.ts';
import type { ContainerTable } from './container-table.ts';
import { fetchLayers } from './fetch-layers.ts';
import type { ImageState, ImageStore } from './image-store.ts';
import { attemptReport, type InstallAttempt, newAttempt } from './install-attempt.ts';
import { judgeFailure } from './install-failure.ts';
import type { InstallRecord } from './install-record.ts';
import { createInstallPrograms, type InstallPrograms } from './install-programs.ts';
import { installStatus } from './install-status.ts';
import { describeStep, type InstallStep } from './install-step.ts';
import type { InstallPorts } from './ports/install-ports.ts';
import { planInstall, serve } from './plan-install.ts';
import { createRestartBackoff, type RestartBackoff } from './restart-backoff.ts';
import type { WorkloadPlaces } from './segments/workload-places.ts';
import type { StatusReporter } from './status-reporter.ts';
import { installSpans } from './telemetry/install-spans.ts';

export interface InstallWorkerInit {
  readonly device: string;
  readonly uid: string;
  readonly state: InstallState;
  readonly images: ImageStore;
  readonly runtime: Runtime;
  readonly containers: ContainerTable;
  readonly reporter: StatusReporter;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** How long a program may take to end when asked to. */
  readonly stopGraceMs: number;
  /** Where programs in segments are; absent on devices that are no nodes. */
  readonly places?: WorkloadPlaces | undefined;
  /** Who holds the ports of programs open. */
  readonly ports?: InstallPorts | undefined;
  /** Where the times of an attempt go, as part of a trace. */
  readonly onSpans?: ((spans: readonly Span[]) => void) | undefined;
  /** Images may have become unneeded. */
  readonly onGarbage: () => void;
  /** Frees what it can now, for an image that does not fit. */
  readonly collectGarbage: () => Promise<void>;
}

type Executors = {
  readonly [K in InstallStep['kind']]: (
    step: Extract<InstallStep, { readonly kind: K }>,
    signal: AbortSignal,
  ) => Promise<void>;
};

type AttemptState = InstallAttempt['state'];

const blockedRetryMs = 30_000;
const drainLookMs = 100;
const drainSeconds = 30;

/**
 * Brings one Install from wherever it is to where it should be, one step after the other. The
 * executors of the steps are in this file because what they change is the worker's own state.
 */
export class InstallWorker {
  readonly #init: InstallWorkerInit;
  readonly #backoff: RestartBackoff;
  readonly #programs: InstallPrograms;
  readonly #execute: Executors;
  #attempt: InstallAttempt | undefined;
  /** Wakes whoever waits for a long step, when a container ends meanwhile. */
  #ended = Promise.withResolvers<void>();
  #mustReport = false;
  /** Until when the connections of a revision are waited for. */
  readonly #drains = new Map<number, number>();
  /** Digest of the image that was seen to be there, or was proved. */
  #proven: string | undefined;

  constructor(init: InstallWorkerInit) {
    this.#init = init;
    this.#backoff = createRestartBackoff(init);
    this.#programs = createInstallPrograms(init);
    this.#execute = this.#executors();
  }

  /** The device has seen a revision; an older attempt is pointless from here on. */
  seen(spec: InstallSpec, traceParent?: string): void {
    if (this.#attempt !== undefined && this.#attempt.revision >= spec.revision) return;
    this.#abandon(`revision ${spec.revision} is wanted now`);
    this.#attempt = newAttempt(spec, this.#init.clock.monotonic(), traceParent);
  }

  /** The Install is gone. */
  removed(): void {
    this.#abandon('the install is to be removed');
    this.#attempt = undefined;
  }

  #abandon(why: string): void {
    if (this.#attempt === undefined) return;
    this.#attempt.superseded.abort(new TaplineError('superseded', why));
    this.#init.images.release(this.#attempt.image);
  }

  containerEnded(): void {
    this.#backoff.ended();
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }

  /** The control plane does not know how the Install stands. */
  remind(): void {
    this.#mustReport = true;
  }

  async run(stopping: AbortSignal): Promise<Outcome> {
    const record = this.#init.state.record(this.#init.uid);
    if (record === undefined) return { done: true };
    const attempt = (this.#attempt ??= newAttempt(record.desired, this.#init.clock.monotonic()));
    const signal = AbortSignal.any([stopping, attempt.superseded.signal]);
    try {
      return await this.#converge(attempt, signal);
    } catch (error) {
      stopping.throwIfAborted();
      // The newer revision has put this Install into the queue again.
      if (attempt.superseded.signal.aborted) return { done: true };
      return this.#failed(attempt, error);
    }
  }

  async #converge(attempt: InstallAttempt, signal: AbortSignal): Promise<Outcome> {
    const { state, uid } = this.#init;
    let before = '';
    for (;;) {
      signal.throwIfAborted();
      const record = state.record(uid);
      if (record === undefined) return { done: true };
      const [step] = planInstall(record, await this.#observe(record, attempt));
      if (step === undefined || step.kind === 'wait') {
        this.#settled(record, attempt);
        return step === undefined ? { done: true } : { requeueAfterMs: step.ms };
      }
      const text = describeStep(step);
      if (text === before) {
        throw new TaplineError('no_progress', `step "${text}" has no effect`);
      }
      before = text;
      await this.#perform(step, signal);
      attempt.obstacle = undefined;
    }
  }

  async #perform(step: InstallStep, signal: AbortSignal): Promise<void> {
    // The compiler cannot see that the executor is the one of this very kind.
    const execute = this.#execute[step.kind] as (
      step: InstallStep,
      signal: AbortSignal,
    ) => Promise<void>;
    await execute(step, signal);
  }

  async #observe(
    record: InstallRecord,
    attempt: InstallAttempt,
  ): Promise<Parameters<typeof planInstall>[1]> {
    const { images, containers, uid } = this.#init;
    const { desired, active, failed } = record;
    const settled =
      record.removing ||
      attempt.failure !== undefined ||
      failed?.revision === desired.revision ||
      active?.revision === desired.revision;
    const image = settled ? await this.#servedImage(record) : await images.inspect(desired.image);
    if (image.kind === 'ready' && !settled) this.#imageReady(attempt);
    const ports = await this.#observePorts(record);
    return {
      ...(ports !== undefined && { ports }),
      image,
      reserved: attempt.reserved,
      containers: containers.of(uid),
      restartInMs: this.#backoff.waitMs(),
      healthy: attempt.healthy,
      failure: attempt.failure,
    };
  }

  async #observePorts({
    desired,
    active,
  }: InstallRecord): Promise<{ readonly revision: number | undefined } | undefined> {
    const { ports, uid } = this.#init;
    if (ports === undefined) return undefined;
    const has = desired.ports !== undefined || active?.ports !== undefined || ports.has(uid);
    return has ? { revision: (await ports.state(uid))?.revision } : undefined;
  }

  /** Looked at once in each life of the agent: only a loss of power takes what was there. */
  async #servedImage({ active, removing }: InstallRecord): Promise<ImageState> {
    const { images } = this.#init;
    if (active === undefined || removing || this.#proven === active.image.digest) {
      return { kind: 'ready' };
    }
    const state = await images.inspect(active.image);
    if (state.kind === 'ready') {
      this.#proven = active.image.digest;
      images.release(active.image);
    }
    return state;
  }

  #imageReady(attempt: InstallAttempt): void {
    const now = this.#init.clock.monotonic();
    attempt.pulledMs ??= now;
    attempt.unpackedMs ??= now;
  }

  #failed(attempt: InstallAttempt, thrown: unknown): Outcome {
    const record = this.#init.state.record(this.#init.uid);
    const failure = judgeFailure(thrown, attempt.tries);
    attempt.tries += 1;
    this.#init.log.warn('install does not go on', {
      install: record?.name,
      revision: attempt.revision,
      verdict: failure.kind,
      error: thrown,
    });
    if (record === undefined || record.removing || record.active?.revision === attempt.revision) {
      // Nothing is wrong with the revision: the device cannot do its part, and tries again.
      throw thrown;
    }
    switch (failure.kind) {
      case 'retry':
        attempt.obstacle = failure.error;
        this.#progress(attempt.state);
        throw thrown;
      case 'blocked':
        attempt.obstacle = failure.error;
        attempt.state = 'Failed';
        this.#report(record, attempt);
        return { requeueAfterMs: blockedRetryMs };
      case 'permanent':
        attempt.failure = failure.error;
        return { requeueAfterMs: 0 };
    }
  }

  /** Nothing is left to do for now: says how it ended, where that was not said yet. */
  #settled(record: InstallRecord, attempt: InstallAttempt): void {
    if (!this.#mustReport) return;
    attempt.state = this.#end(record, attempt);
    this.#report(record, attempt);
    this.#mustReport = false;
  }

  /** How an attempt ended whose revision was proved or given up. */
  #end({ active, desired, failed }: InstallRecord, attempt: InstallAttempt): AttemptState {
    if (failed?.revision !== desired.revision) return 'Ready';
    attempt.failure = failed.error;
    return active === undefined ? 'Failed' : 'RolledBack';
  }

  /** After the outcome is on its way: nobody waits for files that are not needed any more. */
  async #tidyLater(revision: number): Promise<void> {
    const { clock, log } = this.#init;
    try {
      await clock.sleep(0);
      await this.#programs.tidy(revision);
    } catch (error) {
      log.warn('files of a health check are left', { revision, error });
    }
  }

  #report(record: InstallRecord, attempt: InstallAttempt): void {
    const { reporter, uid } = this.#init;
    reporter.outcome({ uid, name: record.name }, this.#status(record, attempt));
  }

  /** Tells of the time that an attempt took, as part of the delivery's trace. */
  #trace(record: InstallRecord, attempt: InstallAttempt, error?: string): void {
    const { clock, device, onSpans, rng } = this.#init;
    const endedMs = attempt.readyMs ?? clock.monotonic();
    onSpans?.(
      installSpans(
        {
          traceParent: attempt.traceParent,
          device,
          install: record.name,
          revision: attempt.revision,
          stages: attemptReport(attempt).stages,
          error,
          // By its own clock, which the control plane's need not agree with.
          endMs: clock.now() - (clock.monotonic() - endedMs),
          seconds: (endedMs - attempt.seenMs) / 1000,
        },
        rng,
      ),
    );
  }

  #progress(state: AttemptState): void {
    const { reporter, uid } = this.#init;
    const record = this.#init.state.record(uid);
    const attempt = this.#attempt;
    if (record === undefined || attempt === undefined) return;
    attempt.state = state;
    reporter.progress({ uid, name: record.name }, this.#status(record, attempt));
  }

  #status(record: InstallRecord, attempt: InstallAttempt): ReturnType<typeof installStatus> {
    const { reporter, uid, clock } = this.#init;
    return installStatus(record, attemptReport(attempt), {
      conditions: reporter.newest(uid)?.conditions,
      nowMs: clock.now(),
    });
  }

  #current(): { readonly record: InstallRecord; readonly attempt: InstallAttempt } {
    const record = this.#init.state.record(this.#init.uid);
    if (record === undefined || this.#attempt === undefined) {
      throw new TaplineError('superseded', 'the install is gone');
    }
    return { record, attempt: this.#attempt };
  }

  #executors(): Executors {
    const { images, state, runtime, containers, reporter, metrics, clock, uid } = this.#init;
    return {
      'fetch-manifest': async ({ image }, signal) => {
        this.#progress('Pulling');
        await this.#serveWhile(images.fetchManifest(image, { signal }), signal);
      },
      reserve: async ({ image, bytes }) => {
        this.#progress('Pulling');
        try {
          await images.reserve(image, bytes);
        } catch (error) {
          if (!isTaplineError(error, 'insufficient_storage')) throw error;
          await this.#init.collectGarbage();
          await images.reserve(image, bytes);
        }
        this.#current().attempt.reserved = true;
      },
      'fetch-layers': async ({ image, layers }, signal) => {
        this.#progress('Pulling');
        const { attempt } = this.#current();
        const fetching = fetchLayers(
          images,
          { image, layers },
          {
            signal,
            onFetched: (bytes) => {
              attempt.fetchedBytes += bytes;
              attempt.fetchedBlobs += 1;
              metrics.addFetchedBytes(bytes);
            },
          },
        );
        await this.#serveWhile(fetching, signal);
      },
      'lay-out': async ({ image }, signal) => {
        this.#current().attempt.pulledMs ??= clock.monotonic();
        this.#progress('Unpacking');
        await this.#serveWhile(images.layOut(image), signal);
      },
      stop: ({ revision }) => this.#stop(revision),
      'remove-container': async ({ revision }) => {
        await runtime.remove(containerId(uid, revision));
        containers.removed(uid, revision);
      },
      start: async ({ spec }) => {
        this.#progress('Starting');
        await this.#programs.start(spec);
        this.#backoff.started();
        this.#current().attempt.startedMs = clock.monotonic();
      },
      restart: async ({ spec }) => {
        const { record } = this.#current();
        try {
          await this.#programs.start(spec);
          this.#backoff.started();
        } catch (error) {
          // The pause that follows lets other steps go on meanwhile.
          this.#backoff.failed();
          this.#init.log.warn('restart failed', { install: record.name, error });
          return;
        }
        state.put({ ...record, restarts: record.restarts + 1 });
        metrics.countRestart();
        const { active, desired, failed } = record;
        if (![active?.revision, failed?.revision].includes(desired.revision)) return;
        this.#progress(this.#end(record, this.#current().attempt));
      },
      wait: async ({ ms }, signal) => clock.sleep(ms, { signal }),
      'check-health': async ({ spec }, signal) => {
        this.#progress('Starting');
        const proving = this.#programs.prove(spec, {
          signal,
          // From there on it is the runtime's process that takes the time.
          onSpawn: () => (this.#current().attempt.startedMs ??= clock.monotonic()),
        });
        await (spec.ports === undefined ? proving : this.#serveWhile(proving, signal));
        this.#current().attempt.healthy = spec.revision;
      },
      commit: async ({ spec }) => {
        const { record, attempt } = this.#current();
        attempt.startedMs ??= clock.monotonic();
        attempt.readyMs = clock.monotonic();
        attempt.state = 'Ready';
        attempt.obstacle = undefined;
        const committed: InstallRecord = {
          ...record,
          active: spec,
          previous: record.active,
          failed: undefined,
          finished: undefined,
        };
        state.put(committed);
        images.release(spec.image);
        this.#proven = spec.image.digest;
        // Where a full disk does not take the report, it is still to be made.
        this.#mustReport = true;
        this.#report(committed, attempt);
        this.#mustReport = false;
        const traceId = parseTraceParent(attempt.traceParent)?.traceId;
        for (const [stage, seconds] of Object.entries(attemptReport(attempt).stages)) {
          if (stage !== 'total') metrics.observeStage(stage, seconds, traceId);
        }
        this.#trace(committed, attempt);
        metrics.countOutcome('Ready');
        void this.#tidyLater(spec.revision);
        this.#init.onGarbage();
      },
      'move-ports': ({ spec }) => this.#programs.movePorts(spec),
      'close-ports': async () => {
        await this.#init.ports?.close(uid);
      },
      drain: ({ revision }, signal) => this.#drain(revision, signal),
      finish: async ({ revision }) => {
        state.put({ ...this.#current().record, finished: revision });
      },
      'give-up': async ({ revision, error }) => {
        const { record } = this.#current();
        images.release(record.desired.image);
        state.put({ ...record, failed: { revision, error } });
        metrics.countOutcome(record.active === undefined ? 'Failed' : 'RolledBack');
        this.#trace(record, this.#current().attempt, error.message);
        this.#mustReport = true;
        this.#init.onGarbage();
      },
      forget: async () => {
        const { record } = this.#current();
        await this.#init.ports?.end(uid);
        await this.#init.places?.close(record.name);
        images.release(record.desired.image);
        state.forget(uid);
        reporter.forget(uid);
        this.#init.onGarbage();
      },
    };
  }

  /** Until a revision has no connections, its time is over, or one of the programs has ended. */
  async #drain(revision: number, signal: AbortSignal): Promise<void> {
    const { clock, ports, uid } = this.#init;
    const { record } = this.#current();
    const { active, desired } = record;
    const { drainSeconds: seconds = drainSeconds } = record.removing
      ? desired
      : (active ?? desired);
    const until = this.#drains.get(revision) ?? clock.monotonic() + seconds * 1000;
    this.#drains.set(revision, until);
    const ended = this.#ended.promise.then(() => true);
    while (clock.monotonic() < until) {
      const open = (await ports?.state(uid))?.connections[String(revision)] ?? 0;
      if (open === 0) break;
      const pause = clock.sleep(drainLookMs, { signal }).then(() => false);
      if (await Promise.race([ended, pause])) return;
    }
    this.#drains.delete(revision);
    await this.#stop(revision);
  }

  async #stop(revision: number): Promise<void> {
    const { containers, runtime, uid } = this.#init;
    // Before the runtime says so: an end that we ask for is not one to restart after.
    containers.stopped(uid, revision);
    try {
      await runtime.stop(containerId(uid, revision), { graceMs: this.#init.stopGraceMs });
    } catch (error) {
      containers.started(uid, revision);
      throw error;
    }
  }

  /** What is served is kept running while something takes long. */
  async #serveWhile(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const { containers, uid, state, clock } = this.#init;
    const done = work.then(() => true);
    for (;;) {
      const finished = await Promise.race([done, this.#ended.promise.then(() => false)]);
      if (finished) return;
      for (;;) {
        const record = state.record(uid);
        if (record === undefined) break;
        const [step] = serve(record, {
          // The one that is just being proved is none of it.
          containers: containers
            .of(uid)
            .filter(({ revision }) => revision !== this.#attempt?.revision),
          restartInMs: this.#backoff.waitMs(),
        });
        if (step === undefined) break;
        if (step.kind === 'wait') {
          if (await Promise.race([done, clock.sleep(step.ms, { signal }).then(() => false)]))
            return;
        } else await this.#perform(step, signal);
      }
    }
  }
}
