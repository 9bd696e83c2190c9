import type { ContainerSpec, ProcessSpec } from './container-spec.ts';

/** A container whose files are laid out, so that starting it is one process away. */
export interface PreparedContainer {
  readonly spec: ContainerSpec;
  /** The folder a runtime prepared; meaningful to that runtime only. */
  readonly bundle: string;
  readonly confinement: Confinement;
}

export interface ContainerHandle {
  readonly id: string;
  /** Of the container's first process, as the host counts. */
  readonly pid: number;
}

/** How a process ended, as a shell says it. */
export interface ExitStatus {
  /** 128 + n where signal n ended it; undefined where nobody saw it end. */
  readonly exitCode: number | undefined;
  /** `SIGKILL`, …, where a signal ended it. */
  readonly signal: string | undefined;
}

/**
 * What keeps a limit: a control group counts the container, an rlimit each process or user, and a
 * machine of guests all that runs in it.
 */
export type LimitEnforcer = 'cgroup' | 'rlimit' | 'machine' | 'none';

/** What confines a container on this machine; weaker than asked for is said here, never hidden. */
export interface Confinement {
  readonly userNamespace: boolean;
  /** Who the process is on the host: the owner to give to what it may write. */
  readonly hostUser: { readonly uid: number; readonly gid: number };
  readonly noNewPrivileges: boolean;
  readonly readOnlyRoot: boolean;
  readonly limitsEnforcedBy: {
    readonly memory: LimitEnforcer;
    readonly pids: LimitEnforcer;
    readonly cpu: LimitEnforcer;
  };
}

export interface ContainerState {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: 'running' | 'stopped';
  /** Of a running container. */
  readonly pid: number | undefined;
  /** Of a stopped one, as in {@link ExitStatus}. */
  readonly exitCode: number | undefined;
  readonly confinement: Confinement;
  readonly logPath: string;
}

export interface ProcessIo {
  /** Closed at its end; nothing is readable where it is left out. */
  readonly stdin?: AsyncIterable<Uint8Array> | Uint8Array;
  /** Output as it comes; there is no backpressure, so take it as fast as the process makes it. */
  readonly onStdout?: (chunk: Uint8Array) => void;
  readonly onStderr?: (chunk: Uint8Array) => void;
  /** Kills the process; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Kills the process; the call rejects with `run_timeout`. */
  readonly timeoutMs?: number;
}

/**
 * Runs containers. Errors: `container_invalid` (specification), `container_exists`,
 * `container_unknown`, `container_start_failed` (with the runtime's own words), `run_timeout`.
 */
export interface Runtime extends AsyncDisposable {
  /** `none` runs nothing. */
  readonly name:
    | 'runc'
    | 'unconfined'
    | 'wasm'
    | 'apple-container'
    | 'colima'
    | 'podman-machine'
    | 'none';
  /** Does everything that can be done ahead; `start` and `run` take what it returns. */
  prepare(spec: ContainerSpec): Promise<PreparedContainer>;
  /**
   * Starts a container that outlives this process, with its output in a bounded log file. Resolves
   * when its first process has been executed. A stopped container of that id is started anew.
   */
  start(container: ContainerSpec | PreparedContainer): Promise<ContainerHandle>;
  /** Runs a container in the foreground until it ends, and removes it. Not shown by `list`. */
  run(container: ContainerSpec | PreparedContainer, io?: ProcessIo): Promise<ExitStatus>;
  /** Runs another process in a running container. */
  exec(id: string, process: ProcessSpec, io?: ProcessIo): Promise<ExitStatus>;
  /** Asks to end (SIGTERM), and kills after `graceMs`. Resolves when it has ended; idempotent. */
  stop(
    id: string,
    options: { readonly graceMs: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Kills where needed and forgets the container, its log included; idempotent. */
  remove(id: string): Promise<void>;
  /** What `start` started, here or in an earlier life of this process. */
  list(): Promise<readonly ContainerState[]>;
  /** Resolves when the container has ended. */
  wait(id: string, options?: { readonly signal?: AbortSignal }): Promise<ExitStatus>;
}
