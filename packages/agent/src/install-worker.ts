import { isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { Outcome } from '@tapline/reconcile';
import type { InstallSpec } from '@tapline/resources';
import type { Runtime } from '@tapline/runtimes';
import type { ContainerTable } from './container-table.ts';
import { fetchLayers } from './fetch-layers.ts';
import type { ImageState, ImageStore } from './image-store.ts';
import { type InstallAttempt, newAttempt } from './install-attempt.ts';
import { createInstallEndings, type InstallEndings } from './install-endings.ts';
import { judgeFailure } from './install-failure.ts';
import type { InstallRecord } from './install-record.ts';
import { createInstallPrograms, type InstallPrograms } from './install-programs.ts';
import {
  createInstallReports,
  endOf,
  type InstallReports,
  type InstallReportsInit,
} from './install-reports.ts';
import { describeStep, type InstallStep } from './install-step.ts';
import type { InstallPorts } from './ports/install-ports.ts';
import { planInstall, serve } from './plan-install.ts';
import { createRestartBackoff, type RestartBackoff } from './restart-backoff.ts';
import type { WorkloadPlaces } from './segments/workload-places.ts';

export interface InstallWorkerInit extends InstallReportsInit {
  readonly images: ImageStore;
  readonly runtime: Runtime;
  readonly containers: ContainerTable;
  readonly log: Log;
  /** How long a program may take to end when asked to. */
  readonly stopGraceMs: number;
  /** Where programs in segments are; absent on devices that are no nodes. */
  readonly places?: WorkloadPlaces | undefined;
  /** Who holds the ports of programs open. */
  readonly ports?: InstallPorts | undefined;
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

const blockedRetryMs = 30_000;

/**
 * Brings one Install from wherever it is to where it should be, one step after the other. The
 * executors of the steps are in this file because what they change is the worker's own state.
 */
export class InstallWorker {
  readonly #init: InstallWorkerInit;
  readonly #backoff: RestartBackoff;
  readonly #programs: InstallPrograms;
  readonly #endings: InstallEndings;
  readonly #reports: InstallReports;
  readonly #execute: Executors;
  #attempt: InstallAttempt | undefined;
  /** Wakes whoever waits for a long step, when a container ends meanwhile. */
  #ended = Promise.withResolvers<void>();
  /** Digest of the image that was seen to be there, or was proved. */
  #proven: string | undefined;

  constructor(init: InstallWorkerInit) {
    this.#init = init;
    this.#backoff = createRestartBackoff(init);
    this.#programs = createInstallPrograms(init);
    this.#endings = createInstallEndings(init);
    this.#reports = createInstallReports(init);
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
    this.#reports.remind();
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
        this.#reports.settled(record, attempt);
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
        this.#reports.outcome(record, attempt);
        return { requeueAfterMs: blockedRetryMs };
      case 'permanent':
        attempt.failure = failure.error;
        return { requeueAfterMs: 0 };
    }
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

  #progress(state: InstallAttempt['state']): void {
    this.#reports.progress(this.#attempt, state);
  }

  #current(): { readonly record: InstallRecord; readonly attempt: InstallAttempt } {
    const record = this.#init.state.record(this.#init.uid);
    if (record === undefined || this.#attempt === undefined) {
      throw new TaplineError('superseded', 'the install is gone');
    }
    return { record, attempt: this.#attempt };
  }

  #executors(): Executors {
    const { images, state, reporter, metrics, clock, uid } = this.#init;
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
      stop: ({ revision }) => this.#endings.stop(revision),
      'remove-container': ({ revision }) => this.#endings.remove(revision),
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
        this.#progress(endOf(record, this.#current().attempt));
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
        this.#reports.ready(committed, attempt);
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
        this.#reports.gaveUp(record, this.#current().attempt, error.message);
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

  /** The connections of a program are waited for as long as its revision says. */
  async #drain(revision: number, signal: AbortSignal): Promise<void> {
    const { active, desired, removing } = this.#current().record;
    const { drainSeconds: seconds } = removing ? desired : (active ?? desired);
    await this.#endings.drain(revision, { seconds, ended: this.#ended.promise, signal });
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
