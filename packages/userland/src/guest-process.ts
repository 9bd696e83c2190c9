import type { Cpu } from '@tapline/a64';
import type { Clock, Rng } from '@tapline/base';
import type { AddressSpace } from './address-space.ts';
import type { FileSystem } from './file-node.ts';
import type { FileDescriptors } from './open-file.ts';

/** What system calls work on. */
export interface GuestProcess {
  readonly cpu: Cpu;
  readonly space: AddressSpace;
  readonly files: FileSystem;
  readonly descriptors: FileDescriptors;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Absolute path of the program, as /proc/self/exe says. */
  readonly executable: string;
  readonly folder: string;
  /** Set by exit; nothing runs afterwards. */
  exitCode: number | undefined;
}

/**
 * A system call: the six arguments as they are in X0–X5. What it returns goes to X0; errors are
 * thrown as LinuxError.
 */
export type SystemCall = (
  process: GuestProcess,
  args: readonly [bigint, bigint, bigint, bigint, bigint, bigint],
) => number | bigint;
