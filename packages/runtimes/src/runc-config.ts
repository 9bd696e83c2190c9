import type { ContainerSpec, ProcessSpec } from './container-spec.ts';
import { deniedSystemCalls } from './denied-system-calls.ts';

/** What the machine lets a container have; decided once per container, ahead of its start. */
export interface RuncConfigOptions {
  /** Host ids that the container's 0 to 65535 stand for, or undefined for no user namespace. */
  readonly firstHostId: number | undefined;
  readonly cgroupsPath: string;
  readonly cgroups: { readonly memory: boolean; readonly pids: boolean; readonly cpu: boolean };
}

export const mappedIds = 65_536;
const cpuPeriodMicroseconds = 100_000;

/**
 * The `config.json` of an OCI runtime bundle: read-only root, no capabilities, no new privileges,
 * own namespaces, and nothing mounted that a program does not need.
 */
export function runcConfig(
  spec: ContainerSpec,
  options: RuncConfigOptions,
): Readonly<Record<string, unknown>> {
  const { firstHostId, cgroups } = options;
  const mapping = [{ containerID: 0, hostID: firstHostId, size: mappedIds }];
  const user = firstHostId === undefined ? [] : [{ type: 'user' }];
  return {
    ociVersion: '1.0.2',
    process: runcProcess(spec, { limits: spec.limits, cgroups }),
    root: { path: spec.rootfs, readonly: true },
    hostname: spec.hostname,
    mounts: mountsOf(spec, options),
    linux: {
      namespaces: [
        ...['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        ...networkOf(spec),
        ...user,
      ],
      ...(firstHostId !== undefined && { uidMappings: mapping, gidMappings: mapping }),
      cgroupsPath: options.cgroupsPath,
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        ...resourcesOf(spec, cgroups),
      },
      seccomp: deniedSystemCalls,
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

function networkOf({ network }: ContainerSpec) {
  if (network === 'host') return [];
  return [{ type: 'network', ...(network !== 'none' && { path: network.namespace }) }];
}

/** The `process` of a bundle, and of `runc exec`. */
export function runcProcess(
  spec: ProcessSpec,
  options: Pick<RuncConfigOptions, 'cgroups'> & { readonly limits: ContainerSpec['limits'] },
): Readonly<Record<string, unknown>> {
  const { limits, cgroups } = options;
  const openFiles = limits.openFiles ?? 1024;
  const rlimits = [{ type: 'RLIMIT_NOFILE', soft: openFiles, hard: openFiles }];
  if (limits.pids !== undefined && !cgroups.pids) {
    rlimits.push({ type: 'RLIMIT_NPROC', soft: limits.pids, hard: limits.pids });
  }
  if (limits.memoryBytes !== undefined && !cgroups.memory) {
    // Private writable memory since Linux 4.7; RLIMIT_AS would refuse what is only reserved.
    rlimits.push({ type: 'RLIMIT_DATA', soft: limits.memoryBytes, hard: limits.memoryBytes });
  }
  return {
    terminal: false,
    user: { uid: spec.user.uid, gid: spec.user.gid },
    args: spec.command,
    env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    cwd: spec.workingDirectory,
    capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
    noNewPrivileges: true,
    rlimits,
  };
}

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options?: readonly string[];
}

function mountsOf(spec: ContainerSpec, options: RuncConfigOptions): readonly Mount[] {
  const mounts: Mount[] = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    tmpfs('/dev', { options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] }),
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
    },
    tmpfs('/dev/shm', { options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] }),
  ];
  // The kernel shows /sys only to the owner of the network namespace.
  if (spec.network === 'none' || options.firstHostId === undefined) {
    mounts.push({
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    });
  }
  for (const { path, sizeBytes } of spec.tmpfs) {
    // runc gives it the mode of the folder below it, so the user has to own it to write there.
    const owner = [`uid=${spec.user.uid}`, `gid=${spec.user.gid}`];
    mounts.push(tmpfs(path, { options: ['nosuid', 'nodev', `size=${sizeBytes}`, ...owner] }));
  }
  for (const { source, path, readOnly } of spec.binds ?? []) {
    const mode = readOnly ? 'ro' : 'rw';
    mounts.push({
      destination: path,
      type: 'bind',
      source,
      options: ['rbind', 'nosuid', 'nodev', mode],
    });
  }
  return mounts;
}

function tmpfs(destination: string, { options }: { readonly options: readonly string[] }): Mount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

function resourcesOf(
  { limits }: ContainerSpec,
  cgroups: RuncConfigOptions['cgroups'],
): Readonly<Record<string, unknown>> {
  const { memoryBytes, pids, cpus } = limits;
  return {
    ...(memoryBytes !== undefined && cgroups.memory && { memory: { limit: memoryBytes } }),
    ...(pids !== undefined && cgroups.pids && { pids: { limit: pids } }),
    ...(cpus !== undefined &&
      cgroups.cpu && {
        cpu: { quota: Math.round(cpus * cpuPeriodMicroseconds), period: cpuPeriodMicroseconds },
      }),
  };
}
