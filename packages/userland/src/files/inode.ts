import type { FileContent } from './file-content.ts';
import type { FileLocks } from './file-locks.ts';
import type { StorageBudget } from './storage-budget.ts';
import type { WaitQueue } from '../kernel/wait-queue.ts';
import type { OpenFile } from './open-file.ts';
import type { Task } from '../kernel/task.ts';

/** What all files of one mounted file system have in common. */
export interface FileSystem {
  /** st_dev. */
  readonly device: number;
  /** f_type of statfs (include/uapi/linux/magic.h). */
  readonly magic: number;
  /** The name in /proc/mounts. */
  readonly name: string;
  readonly readOnly: boolean;
  /** The number of the next inode. */
  nextInode: number;
  /** What is written is counted there. */
  readonly storage: StorageBudget;
  /** The time for what is made or changed. */
  readonly now: () => number;
}

/** Times are in milliseconds since 1970, with a fraction. */
export interface InodeBase {
  readonly number: number;
  readonly system: FileSystem;
  /** Permissions, with set-user-id, set-group-id and sticky. */
  mode: number;
  uid: number;
  gid: number;
  links: number;
  /** Names of it that guests made: what they cost is given back as they go. */
  names?: number;
  accessedMs: number;
  modifiedMs: number;
  changedMs: number;
}

export interface FileInode extends InodeBase {
  readonly kind: 'file';
  readonly content: FileContent;
  /** Open files that refer to it: what was unlinked lives as long as they do. */
  opens: number;
  locks?: FileLocks;
}

/** Names and what they are for. Those of /proc are made when they are asked for. */
export interface DirectoryEntries {
  get(name: string): Inode | undefined;
  list(): Iterable<readonly [string, Inode]>;
  /** Absent where nothing can be changed. */
  readonly set?: (name: string, inode: Inode) => void;
  readonly delete?: (name: string) => void;
}

export interface DirectoryInode extends InodeBase {
  readonly kind: 'directory';
  readonly entries: DirectoryEntries;
  /** The root's is itself. */
  parent: DirectoryInode | undefined;
  /** In its parent. */
  name: string;
  /** What is seen in its place. */
  mounted?: DirectoryInode;
  removed?: boolean;
}

export interface LinkInode extends InodeBase {
  readonly kind: 'link';
  target(viewer: Viewer): string;
  /** Where it leads without a path (/proc/self/exe, /proc/self/fd/1). */
  readonly jump?: (viewer: Viewer) => Inode | undefined;
}

/** Devices, named pipes and sockets. */
export interface SpecialInode extends InodeBase {
  readonly kind: 'character' | 'fifo' | 'socket';
  /** st_rdev. */
  readonly special: number;
  /** What opening it gives. */
  readonly open?: (opener: { readonly task: Task; readonly flags: number }) => OpenFile;
  /** For named pipes: who waits to open the other end. */
  readonly opened?: WaitQueue;
}

export type Inode = FileInode | DirectoryInode | LinkInode | SpecialInode;

/** Who follows a path: links of /proc differ by it. */
export interface Viewer {
  readonly pid: number;
  readonly tid: number;
}
