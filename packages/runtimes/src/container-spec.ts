/** A program to run inside of a root file system. */
export interface ProcessSpec {
  /** Program and arguments; the program is looked up in the PATH of `env` unless it has a slash. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly user: { readonly uid: number; readonly gid: number };
}

export interface ContainerLimits {
  readonly memoryBytes?: number;
  readonly pids?: number;
  /** Processors' worth of time: 0.5 is half of one. */
  readonly cpus?: number;
  /** Open files of each process; 1024 unless given. */
  readonly openFiles?: number;
}

/** Everything needed to start a container. */
export interface ContainerSpec extends ProcessSpec {
  /** `[A-Za-z0-9][A-Za-z0-9_.-]*`, at most 100 characters; unique on the device. */
  readonly id: string;
  /** Absolute path of a root file system, which is never written to and may be shared. */
  readonly rootfs: string;
  readonly hostname: string;
  readonly limits: ContainerLimits;
  /** Writable memory file systems. */
  readonly tmpfs: readonly { readonly path: string; readonly sizeBytes: number }[];
  /** Writable or read-only parts of the host that the container sees. */
  readonly binds?: readonly {
    readonly source: string;
    readonly path: string;
    readonly readOnly: boolean;
  }[];
  /**
   * `none` has a loopback interface only, `host` shares the device's network; a namespace that is
   * there already has whatever somebody put into it.
   */
  readonly network: 'none' | 'host' | { readonly namespace: string };
  /** Kept with the container and given back by `list`. */
  readonly labels: Readonly<Record<string, string>>;
}
