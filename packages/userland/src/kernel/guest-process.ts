import type { Credentials } from '../files/access.ts';
import type { FileDescriptors } from '../files/file-descriptors.ts';
import type { DirectoryInode, FileInode } from '../files/inode.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Kernel } from './kernel.ts';
import { ignoreHandler, type SignalAction, type SignalInfo } from './signals.ts';
import type { Task } from './task.ts';
import type { KernelTimer } from './timers.ts';
import { WaitQueue } from './wait-queue.ts';

/** Process groups that belong to one terminal. */
export interface Session {
  readonly id: number;
  terminal: Terminal | undefined;
}

export interface ProcessInit {
  readonly pid: number;
  readonly parent: GuestProcess | undefined;
  readonly kernel: Kernel;
  readonly space: AddressSpace;
  readonly descriptors: FileDescriptors;
  readonly folder: DirectoryInode;
  readonly root: DirectoryInode;
  readonly session: Session;
  readonly group: number;
}

/** What /proc says of a process. */
export interface ProgramImage {
  /** A byte string. */
  readonly path: string;
  readonly file: FileInode | undefined;
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

/** Of timer_create: sends a signal, as often as it says. */
export interface ProcessTimer {
  /** CLOCK_REALTIME or another. */
  readonly clock: number;
  running: KernelTimer | undefined;
  /** Times that it fired beyond the last signal. */
  overrun: number;
  readonly fire: (times: number) => void;
}

/** A process: its memory, its files, its place among others. */
export class GuestProcess {
  readonly kernel: Kernel;
  readonly pid: number;
  /** Undefined for the first one, and for those whose parent has ended. */
  parent: GuestProcess | undefined;
  readonly children: Set<GuestProcess> = new Set();
  readonly tasks: Set<Task> = new Set();
  space: AddressSpace;
  descriptors: FileDescriptors;
  folder: DirectoryInode;
  root: DirectoryInode;
  session: Session;
  group: number;
  umask = 0o022;
  credentials: Credentials = { uid: 0, gid: 0, groups: [] };
  actions: Map<number, SignalAction> = new Map();
  readonly pending: Map<number, SignalInfo> = new Map();
  image: ProgramImage = { path: '', file: undefined, argv: [], env: [] };
  /** A signal that stopped it, while it is stopped. */
  stoppedBy: number | undefined;
  /** What its parent has not been told yet. */
  report: 'stopped' | 'continued' | undefined;
  /** As wait() has it, once it has ended. */
  exitStatus: number | undefined;
  /** Its children changed. */
  readonly childChanged: WaitQueue = new WaitQueue();
  /** It runs another program, or has ended: what a parent waits for after vfork. */
  readonly released: WaitQueue = new WaitQueue();
  borrowsSpace = false;
  realTimer: KernelTimer | undefined;
  readonly timers: Map<number, ProcessTimer> = new Map();
  /** -20 to 19; it changes nothing. */
  niceness = 0;
  /** Of the parent, when it ends (PR_SET_PDEATHSIG). */
  deathSignal = 0;
  readonly limits: Map<number, readonly [bigint, bigint]> = new Map();
  readonly startedMs: number;
  /** Time that its threads ran. */
  usedMs = 0;
  childrenUsedMs = 0;

  constructor(init: ProcessInit) {
    this.kernel = init.kernel;
    this.pid = init.pid;
    this.parent = init.parent;
    this.space = init.space;
    this.descriptors = init.descriptors;
    this.folder = init.folder;
    this.root = init.root;
    this.session = init.session;
    this.group = init.group;
    this.startedMs = init.kernel.clock.monotonic();
  }

  /** The thread that it began with, or one that is left. */
  get leader(): Task | undefined {
    for (const task of this.tasks) if (task.tid === this.pid) return task;
    for (const task of this.tasks) return task;
    return undefined;
  }

  action(number: number): SignalAction {
    return this.actions.get(number) ?? { handler: 0n, flags: 0, restorer: 0n, mask: 0n };
  }

  ignores(number: number): boolean {
    return this.action(number).handler === ignoreHandler;
  }
}
