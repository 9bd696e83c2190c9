import type { ContainerSpec, ProcessSpec } from '../container-spec.ts';

/** What a guest's process is told of its container, in `guest.json` of the bundle. */
export interface GuestSpec extends ProcessSpec {
  readonly rootfs: string;
  readonly hostname: string;
  readonly memoryBytes: number;
  readonly threads: number;
  readonly storageBytes: number;
  readonly network: boolean;
  /** Where translated code is kept from one start to the next. */
  readonly codeFolder: string;
}

const defaultMemoryBytes = 1024 * 1024 * 1024;
const defaultThreads = 1024;
const defaultStorageBytes = 64 * 1024 * 1024;

export function guestSpecOf(spec: ContainerSpec, codeFolder: string): GuestSpec {
  const { command, env, workingDirectory, user, rootfs, hostname, limits, tmpfs, network } = spec;
  return {
    command,
    env,
    workingDirectory,
    user,
    rootfs,
    hostname,
    memoryBytes: limits.memoryBytes ?? defaultMemoryBytes,
    threads: limits.pids ?? defaultThreads,
    storageBytes: tmpfs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) || defaultStorageBytes,
    network: network !== 'none',
    codeFolder,
  };
}
