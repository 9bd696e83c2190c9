import type { FollowLog } from '@tapline/agent';
import { type Clock, TaplineError } from '@tapline/base';
import {
  type ContainerLayer,
  type ContainerProcess,
  type ContainerProgram,
  type ContainerWorker,
  openContainer,
  type PageContainer,
} from '@tapline/guest-page';
import type {
  Confinement,
  ContainerSpec,
  ExitStatus,
  PreparedContainer,
  ProcessIo,
  ProcessSpec,
  Runtime,
} from '@tapline/runtimes';
import { attendProcess, statusOf } from './attend-process.ts';
import { PageLog } from './page-log.ts';

export interface PageRuntimeInit {
  /** The layers of a root that the page's image store has laid out. */
  readonly layers: (rootfs: string) => Promise<readonly ContainerLayer[]>;
  /** A worker of `container-worker.ts`. */
  readonly openWorker: () => ContainerWorker;
  /** WebAssembly memories at once: see `machinesOf`. */
  readonly machines: number;
  readonly clock: Clock;
}

/** What a page runs programs with, and where it keeps what they print. */
export interface PageRuntime extends Runtime {
  readonly followLog: FollowLog;
  /** A container with a terminal, which is forgotten when it ends. */
  openTerminal(
    spec: ContainerSpec,
    terminal: {
      readonly rows: number;
      readonly columns: number;
      readonly onOutput: (bytes: Uint8Array) => Promise<void>;
    },
  ): Promise<ContainerProcess>;
}

interface Running {
  readonly spec: ContainerSpec;
  readonly container: PageContainer;
  readonly log: PageLog;
  readonly pid: number;
  readonly ended: Promise<ExitStatus>;
  status: 'running' | 'stopped';
  exitCode: number | undefined;
}

const mebibyte = 1024 * 1024;
const defaultMemoryBytes = 512 * mebibyte;
const defaultThreads = 1024;
const logBytes = mebibyte;
const logPrefix = 'page-log:';
const terminate = 15;

/** Guests have only the calls of their machine, and a browser's sandbox is around it. */
const confinement: Confinement = {
  userNamespace: false,
  hostUser: { uid: 0, gid: 0 },
  noNewPrivileges: true,
  readOnlyRoot: true,
  limitsEnforcedBy: { memory: 'machine', pids: 'machine', cpu: 'none' },
};

/**
 * Runs images for linux/arm64 in workers of the page, a worker for each container. What runs ends with the
 * page; the agent of the next one starts it again.
 */
export function createPageRuntime(init: PageRuntimeInit): PageRuntime {
  const { clock } = init;
  const containers = new Map<string, Running>();
  let pids = 0;

  async function open(
    spec: ContainerSpec,
    more: Pick<Parameters<typeof openContainer>[0], 'onOutput'> &
      Pick<ContainerProgram, 'terminal'>,
  ): Promise<PageContainer> {
    assertPossible(spec);
    const { onOutput, ...terminal } = more;
    const layers = await init.layers(spec.rootfs);
    return openContainer({
      worker: init.openWorker(),
      machine: {
        layers,
        hostName: spec.hostname,
        memory: spec.limits.memoryBytes ?? defaultMemoryBytes,
        storage: spec.tmpfs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) || 64 * mebibyte,
        threads: spec.limits.pids ?? defaultThreads,
        machines: init.machines,
      },
      program: { ...programOf(spec), ...terminal },
      onOutput,
      clock,
    });
  }

  function known(id: string): Running {
    const found = containers.get(id);
    if (found !== undefined) return found;
    throw new TaplineError('container_unknown', `container ${id} is not here`);
  }

  return {
    name: 'wasm',
    prepare(spec) {
      assertPossible(spec);
      return Promise.resolve({ spec, bundle: spec.rootfs, confinement });
    },
    async start(wanted) {
      const spec = specOf(wanted);
      if (containers.get(spec.id)?.status === 'running') {
        throw new TaplineError('container_exists', `container ${spec.id} runs already`);
      }
      const log = new PageLog({ maxBytes: logBytes });
      const container = await open(spec, { onOutput: (_, bytes) => log.append(bytes) });
      container.first.endInput();
      try {
        await container.first.started;
      } catch (cause) {
        throw startFailed(spec, cause);
      }
      const ended = statusOf(container.first);
      const running: Running = {
        spec,
        container,
        log,
        pid: ++pids,
        ended,
        status: 'running',
        exitCode: undefined,
      };
      containers.set(spec.id, running);
      void settle(running);
      return { id: spec.id, pid: running.pid };
    },
    async run(wanted, io = {}) {
      const spec = specOf(wanted);
      const container = await open(spec, { onOutput: outputOf(io) });
      try {
        await container.first.started;
      } catch (cause) {
        throw startFailed(spec, cause);
      }
      return await attendProcess(container.first, io, clock);
    },
    async exec(id, process, io = {}) {
      const { container } = known(id);
      const started = container.start(programOf(process), outputOf(io));
      await started.started;
      return await attendProcess(started, io, clock);
    },
    async stop(id, { graceMs, signal }) {
      const running = containers.get(id);
      if (running === undefined || running.status === 'stopped') return;
      running.container.first.signal(terminate);
      const late = new AbortController();
      const waits = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
      const patience = clock.sleep(graceMs, { signal: waits }).then(
        () => running.container.end(),
        () => undefined,
      );
      await Promise.race([running.ended, patience]);
      late.abort();
      signal?.throwIfAborted();
      await running.ended;
    },
    async remove(id) {
      const running = containers.get(id);
      if (running === undefined) return;
      running.container.end();
      await running.ended;
      containers.delete(id);
    },
    list: () =>
      Promise.resolve(
        [...containers.values()].map(({ spec, status, pid, exitCode }) => ({
          id: spec.id,
          labels: spec.labels,
          status,
          pid: status === 'running' ? pid : undefined,
          exitCode,
          confinement,
          logPath: logPrefix + spec.id,
        })),
      ),
    async wait(id, { signal } = {}) {
      const { ended } = known(id);
      if (signal === undefined) return await ended;
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      const onAbort = (): void => aborted.reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await Promise.race([ended, aborted.promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    async *followLog(path, options) {
      const log = containers.get(path?.slice(logPrefix.length) ?? '')?.log;
      if (log !== undefined) yield* log.read(options);
    },
    async openTerminal(spec, { rows, columns, onOutput }) {
      const container = await open(spec, {
        onOutput: (_, bytes) => onOutput(bytes),
        terminal: { rows, columns },
      });
      return container.first;
    },
    [Symbol.asyncDispose]() {
      for (const { container } of containers.values()) container.end();
      containers.clear();
      return Promise.resolve();
    },
  };
}

/** Notes how it ended; `ended` never rejects. */
async function settle(running: Running): Promise<void> {
  const { exitCode } = await running.ended;
  running.status = 'stopped';
  running.exitCode = exitCode;
  running.log.end();
}

function specOf(wanted: ContainerSpec | PreparedContainer): ContainerSpec {
  return 'spec' in wanted ? wanted.spec : wanted;
}

function programOf({ command, env, workingDirectory, user }: ProcessSpec): ContainerProgram {
  return {
    argv: command,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    folder: workingDirectory,
    user,
  };
}

/** A page has no folders and no sockets to give. */
function assertPossible({ id, binds = [], network }: ContainerSpec): void {
  if (binds.length > 0) {
    throw new TaplineError(
      'container_invalid',
      `container ${id} binds ${binds[0]?.source}; a page has no folders`,
    );
  }
  if (network === 'none') return;
  const wanted = network === 'host' ? "the device's network" : `namespace ${network.namespace}`;
  throw new TaplineError(
    'container_invalid',
    `container ${id} is to be in ${wanted}; programs in a page have no network`,
    { hint: 'deliver it without a network, or to a device that is no page' },
  );
}

function startFailed(spec: ContainerSpec, cause: unknown): TaplineError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TaplineError('container_start_failed', `container ${spec.id} did not start: ${why}`, {
    cause,
  });
}

function outputOf({ onStdout, onStderr }: ProcessIo) {
  return (stream: string, bytes: Uint8Array): void =>
    stream === 'stderr' ? onStderr?.(bytes) : onStdout?.(bytes);
}
