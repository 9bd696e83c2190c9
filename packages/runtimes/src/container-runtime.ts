import { existsSync, mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Log, TaplineError } from '@tapline/base';
import {
  assertContainerId,
  assertContainerSpec,
  assertProcessSpec,
} from './assert-container-spec.ts';
import { boundLog } from './bounded-log.ts';
import { type BackgroundInstance, ContainerFiles } from './container-files.ts';
import type { ContainerSpec, ProcessSpec } from './container-spec.ts';
import { exitStatus } from './exit-status.ts';
import type { LaunchStrategy } from './launch-strategy.ts';
import { runShell } from './run-shell.ts';
import type {
  Confinement,
  ContainerHandle,
  ContainerState,
  ExitStatus,
  PreparedContainer,
  ProcessIo,
  Runtime,
} from './runtime.ts';
import { shellWord } from './shell-word.ts';
import { signalProcess } from './signal-process.ts';
import { SpareShells } from './spare-shells.ts';

export interface ContainerRuntimeInit {
  /** State of the runtime; one process owns it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Bound of a container's log; twice as much is kept. 4 MiB unless given. */
  readonly maxLogBytes?: number;
}

const logCheckMs = 5000;
/** How often an end is looked for that no monitor reported, because somebody killed it. */
const lostMonitorMs = 1000;
const killWaitMs = 10_000;
/** runc takes 20 ms; this is for a machine that stands still. */
const startWaitMs = 30_000;

interface Prepared extends PreparedContainer {
  readonly confinement: Confinement;
}

/** The life cycle of containers, the same whatever launches them. */
export class ContainerRuntime implements Runtime {
  readonly name: Runtime['name'];
  readonly #strategy: LaunchStrategy;
  readonly #init: ContainerRuntimeInit;
  readonly #files: ContainerFiles;
  readonly #shells = new SpareShells();
  readonly #prepared = new Map<string, Prepared>();
  readonly #foreground = new Set<string>();
  readonly #disposing = new AbortController();
  #runs = 0;
  #boundingLogs: Promise<void> | undefined;

  private constructor(strategy: LaunchStrategy, init: ContainerRuntimeInit) {
    this.name = strategy.name;
    this.#strategy = strategy;
    this.#init = init;
    this.#files = new ContainerFiles(init.directory);
  }

  /** Takes over what an earlier process left: containers go on, foreground ones are removed. */
  static async open(
    strategy: LaunchStrategy,
    init: ContainerRuntimeInit,
  ): Promise<ContainerRuntime> {
    const runtime = new ContainerRuntime(strategy, init);
    for (const id of runtime.#files.list('foreground')) {
      const instance = runtime.#files.foreground(id);
      await strategy.destroy(instance);
      runtime.#files.remove(instance.directory);
    }
    if (runtime.#files.list('containers').length > 0) runtime.#boundLogs();
    return runtime;
  }

  async prepare(spec: ContainerSpec): Promise<PreparedContainer> {
    assertContainerSpec(spec);
    const bundle = this.#files.bundle(spec.id);
    mkdirSync(bundle, { recursive: true, mode: 0o711 });
    const confinement = await this.#strategy.layOut(spec, bundle);
    const prepared = { spec, bundle, confinement };
    this.#prepared.set(spec.id, prepared);
    return prepared;
  }

  async start(container: ContainerSpec | PreparedContainer): Promise<ContainerHandle> {
    const { spec, confinement } = await this.#preparedOf(container);
    const instance = this.#files.background(spec.id);
    if (existsSync(instance.directory)) {
      if (this.#strategy.findProcess(instance) !== undefined) {
        throw new TaplineError('container_exists', `container ${spec.id} is running`);
      }
      await this.#strategy.destroy(instance);
    }
    this.#files.create(instance, { spec, confinement });
    const started = this.#whenStarted(instance);
    // The shell stays as the monitor: it outlives this process and writes down the exit code.
    const [log, exit] = [shellWord(instance.logPath), shellWord(instance.exitFile)];
    const line = this.#strategy.runLine(instance, 'background');
    const shell = this.#shells.run(`exec </dev/null >>${log} 2>&1; ${line}; echo $? >${exit}`);
    shell.process.unref();
    // It has its own streams; these ends would stay open for as long as it runs.
    for (const stream of [shell.stdin, shell.stdout, shell.stderr]) stream.destroy();
    const pid = await started;
    this.#boundLogs();
    setImmediate(() => this.#shells.refill());
    return { id: spec.id, pid };
  }

  async run(container: ContainerSpec | PreparedContainer, io: ProcessIo = {}): Promise<ExitStatus> {
    io.signal?.throwIfAborted();
    let { spec } = await this.#preparedOf(container);
    const original = spec;
    if (this.#foreground.has(spec.id) || this.#files.record(spec.id) !== undefined) {
      // The name is taken: the same container once more, under another.
      this.#runs += 1;
      spec = { ...spec, id: `${spec.id.slice(0, 80)}.${process.pid}.${this.#runs}` };
      await this.prepare(spec);
    }
    const { id } = spec;
    const instance = this.#files.foreground(id);
    this.#foreground.add(id);
    try {
      mkdirSync(instance.directory, { recursive: true, mode: 0o700 });
      const shell = this.#shells.run(`exec ${this.#strategy.runLine(instance, 'foreground')}`);
      const exitCode = await runShell(shell, {
        io,
        clock: this.#init.clock,
        kill: async () => {
          // The shell leads a session; what it runs in a container has its own, and is destroyed.
          if (shell.process.pid !== undefined) signalProcess(-shell.process.pid, 'SIGKILL');
          await this.#strategy.destroy(instance);
        },
      });
      const error = this.#strategy.startError(instance, exitCode);
      if (error !== undefined) throw startFailed(id, error);
      return exitStatus(exitCode);
    } finally {
      this.#foreground.delete(id);
      if (spec !== original) this.#prepared.delete(id);
      // Whoever waits for the exit code does not wait for the files.
      setImmediate(() => this.#sweepForeground(id, { bundle: spec !== original }));
    }
  }

  /** Removes what a run left, unless the next one of that name has begun. */
  #sweepForeground(id: string, { bundle }: { readonly bundle: boolean }): void {
    if (this.#foreground.has(id)) return;
    const instance = this.#files.foreground(id);
    this.#files.remove(instance.directory);
    if (bundle) this.#files.remove(instance.bundle);
  }

  async exec(id: string, process: ProcessSpec, io: ProcessIo = {}): Promise<ExitStatus> {
    assertProcessSpec(process);
    io.signal?.throwIfAborted();
    const { instance, spec } = this.#known(id);
    if (this.#strategy.findProcess(instance) === undefined) {
      throw new TaplineError('container_unknown', `container ${id} does not run`);
    }
    this.#runs += 1;
    const directory = join(instance.directory, `exec-${this.#runs}`);
    mkdirSync(directory, { mode: 0o700 });
    const executed = {
      ...instance,
      pidFile: join(directory, 'pid'),
      errorFile: join(directory, 'error'),
    };
    try {
      const line = this.#strategy.execLine(executed, { process, spec, directory });
      const shell = this.#shells.run(`exec ${line}`);
      const exitCode = await runShell(shell, {
        io,
        clock: this.#init.clock,
        kill: () => {
          const pid = this.#files.pid(executed);
          // It leads a group of its own, within the container too.
          if (pid !== undefined) signalProcess(-pid, 'SIGKILL');
          shell.process.kill('SIGKILL');
          return Promise.resolve();
        },
      });
      const error = this.#strategy.startError(executed, exitCode);
      if (error !== undefined) throw startFailed(id, error);
      return exitStatus(exitCode);
    } finally {
      this.#files.remove(directory);
    }
  }

  async stop(
    id: string,
    options: { readonly graceMs: number; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { instance } = this.#known(id);
    const pid = this.#strategy.findProcess(instance);
    if (pid === undefined) return;
    this.#strategy.signal(pid, 'SIGTERM');
    if (await this.#endsWithin(instance, { ms: options.graceMs, signal: options.signal })) return;
    this.#strategy.signal(pid, 'SIGKILL');
    if (await this.#endsWithin(instance, { ms: killWaitMs, signal: options.signal })) return;
    throw new TaplineError(
      'container_stuck',
      `container ${id} survives SIGKILL for ${killWaitMs} ms`,
    );
  }

  async remove(id: string): Promise<void> {
    assertContainerId(id);
    const instance = this.#files.background(id);
    if (existsSync(instance.directory)) {
      const pid = this.#strategy.findProcess(instance);
      if (pid !== undefined) {
        this.#strategy.signal(pid, 'SIGKILL');
        await this.#endsWithin(instance, { ms: killWaitMs, signal: undefined });
      }
      await this.#strategy.destroy(instance);
      this.#files.remove(instance.directory);
    }
    this.#prepared.delete(id);
    this.#files.remove(instance.bundle);
  }

  list(): Promise<readonly ContainerState[]> {
    return Promise.resolve(
      this.#files.list('containers').flatMap((id) => {
        const record = this.#files.record(id);
        if (record === undefined) return [];
        const instance = this.#files.background(id);
        const pid = this.#strategy.findProcess(instance);
        return {
          id,
          labels: record.spec.labels,
          status: pid === undefined ? ('stopped' as const) : ('running' as const),
          pid,
          exitCode: pid === undefined ? this.#files.exitCode(instance) : undefined,
          confinement: record.confinement,
          logPath: instance.logPath,
        };
      }),
    );
  }

  async wait(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<ExitStatus> {
    const { instance } = this.#known(id);
    return exitStatus(await this.#ended(instance, options.signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposing.abort();
    this.#shells[Symbol.dispose]();
    await this.#boundingLogs;
  }

  async #preparedOf(container: ContainerSpec | PreparedContainer): Promise<Prepared> {
    const spec = 'bundle' in container ? container.spec : container;
    const known = this.#prepared.get(spec.id);
    if (known !== undefined && known.spec === spec) return known;
    await this.prepare(spec);
    return await this.#preparedOf(spec);
  }

  #known(id: string): { readonly instance: BackgroundInstance; readonly spec: ContainerSpec } {
    assertContainerId(id);
    const record = this.#files.record(id);
    if (record === undefined) {
      throw new TaplineError('container_unknown', `container ${id} does not exist`);
    }
    return { instance: this.#files.background(id), spec: record.spec };
  }

  /** Resolves with the first process as soon as its file is there, without asking again and again. */
  async #whenStarted(instance: BackgroundInstance): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const watcher = watch(instance.directory, () => {
      // One that ended at once was started all the same: its process is written down first, so it is
      // looked for last.
      const exitCode = this.#files.exitCode(instance);
      const pid = this.#files.pid(instance);
      if (pid !== undefined) resolve(pid);
      else if (exitCode !== undefined) {
        const error = this.#strategy.startError(instance, exitCode);
        reject(startFailed(instance.id, error ?? `the runtime ended with ${exitCode}`));
      }
    });
    watcher.on('error', reject);
    const done = new AbortController();
    try {
      return await Promise.race([promise, this.#startTimeout(instance.id, done.signal)]);
    } finally {
      done.abort();
      watcher.close();
    }
  }

  async #startTimeout(id: string, signal: AbortSignal): Promise<never> {
    await this.#init.clock.sleep(startWaitMs, { signal });
    throw startFailed(id, `nothing happened for ${startWaitMs} ms`);
  }

  async #endsWithin(
    instance: BackgroundInstance,
    limit: { readonly ms: number; readonly signal: AbortSignal | undefined },
  ): Promise<boolean> {
    const { signal } = limit;
    const done = new AbortController();
    const stop = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
    try {
      return await Promise.race([
        this.#ended(instance, stop).then(() => true),
        this.#init.clock.sleep(limit.ms, { signal: stop }).then(() => false),
      ]);
    } finally {
      done.abort();
    }
  }

  /** The exit code, once the monitor wrote it or the process is gone without one. */
  async #ended(
    instance: BackgroundInstance,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const check = (): void => {
      const exitCode = this.#files.exitCode(instance);
      if (exitCode !== undefined) resolve(exitCode);
    };
    const watcher = watch(instance.directory, check);
    const done = new AbortController();
    const stop = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
    try {
      check();
      return await Promise.race([promise, this.#lost(instance, stop)]);
    } finally {
      done.abort();
      watcher.close();
    }
  }

  async #lost(instance: BackgroundInstance, signal: AbortSignal): Promise<undefined> {
    for (;;) {
      const gone = this.#strategy.findProcess(instance) === undefined;
      await this.#init.clock.sleep(lostMonitorMs, { signal });
      if (gone) return undefined;
    }
  }

  #boundLogs(): void {
    this.#boundingLogs ??= this.#boundLogsUntilDisposed();
  }

  async #boundLogsUntilDisposed(): Promise<void> {
    const { clock, log, maxLogBytes = 4 * 1024 * 1024 } = this.#init;
    const { signal } = this.#disposing;
    while (!signal.aborted) {
      for (const id of this.#files.list('containers')) {
        try {
          await boundLog(this.#files.background(id).logPath, maxLogBytes);
        } catch (error) {
          log.warn('container log cannot be bounded', { id, error });
        }
      }
      await clock.sleep(logCheckMs, { signal }).catch(() => {});
    }
  }
}

function startFailed(id: string, why: string): TaplineError {
  return new TaplineError('container_start_failed', `container ${id} did not start: ${why}`, {
    details: { id },
  });
}
