import type { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import type { Task } from '../kernel/task.ts';
import type { Inode } from './inode.ts';

// include/uapi/asm-generic/fcntl.h and arm64's own.
export const openFlags = {
  accessMode: 3,
  writeOnly: 1,
  readWrite: 2,
  create: 0o100,
  exclusive: 0o200,
  noTerminal: 0o400,
  truncate: 0o1000,
  append: 0o2000,
  nonBlock: 0o4000,
  directory: 0o40000,
  noFollow: 0o100000,
  largeFile: 0o400000,
  closeOnExec: 0o2000000,
  path: 0o10000000,
  temporary: 0o20000000,
} as const;

// include/uapi/asm-generic/poll.h
export const pollEvents = { in: 1, out: 4, error: 8, hangUp: 0x10, invalid: 0x20 } as const;

/** An open file description: what descriptors of one or more processes refer to. */
export interface OpenFile {
  readonly kind:
    | 'regular'
    | 'directory'
    | 'path'
    | 'pipe'
    | 'terminal'
    | 'device'
    | 'socket'
    | 'event'
    | 'timer'
    | 'epoll'
    | 'signal';
  readonly inode: Inode;
  /** Access mode and status flags. */
  flags: number;
  /** What /proc/self/fd says. */
  readonly path: string;
  /** Woken when {@link poll} may say something else. */
  readonly changed: WaitQueue;
  /** Descriptors of all processes that refer to it. */
  references: number;
  /** No bytes are the end. */
  readonly read?: (task: Task, most: number) => Uint8Array | Wait;
  /** How many bytes were taken; those are not the caller's any more. */
  readonly write?: (task: Task, bytes: Uint8Array) => number | Wait;
  /** Where the next read or write is; absent for what cannot be sought. */
  position?: number;
  readonly poll: () => number;
  readonly control?: (task: Task, request: number, argument: bigint) => number | Wait;
  /** Nobody refers to it any more. */
  readonly close?: () => void;
}
