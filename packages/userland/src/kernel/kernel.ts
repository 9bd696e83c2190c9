import type { Clock, Rng } from '@tapline/base';
import { FileDescriptors } from '../files/file-descriptors.ts';
import type { DirectoryInode } from '../files/inode.ts';
import type { OpenFile } from '../files/open-file.ts';
import { AddressSpace } from '../memory/address-space.ts';
import type { MachinePool } from '../memory/machine-pool.ts';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import type { Network } from '../sockets/network.ts';
import type { Terminals } from '../terminal/terminals.ts';
import type { StorageBudget } from '../files/storage-budget.ts';
import { Futexes } from './futexes.ts';
import { GuestProcess, type Session } from './guest-process.ts';
import { sendSignal, tellParent } from './send-signal.ts';
import { signal, signalCode, type SignalInfo } from './signals.ts';
import { Task } from './task.ts';
import { Timers } from './timers.ts';
import { WaitQueue } from './wait-queue.ts';

export interface KernelInit {
  readonly root: DirectoryInode;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly machines: MachinePool;
  readonly memory: MemoryBudget;
  readonly storage: StorageBudget;
  readonly network: Network;
  readonly terminals: Terminals;
  /** As uname says it. */
  readonly hostName: string;
  /** Threads of all processes together. */
  readonly mostThreads: number;
}

const largestPid = 4_194_304;
/** What all processes share: who there is, who may run, and who waits. */
export class Kernel {
  readonly root: DirectoryInode;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly machines: MachinePool;
  readonly memory: MemoryBudget;
  readonly storage: StorageBudget;
  readonly network: Network;
  readonly terminals: Terminals;
  readonly hostName: string;
  readonly processes: Map<number, GuestProcess> = new Map();
  readonly timers: Timers = new Timers();
  readonly futexes: Futexes = new Futexes();
  /** Signals came: signalfd looks again. */
  readonly signalled: WaitQueue = new WaitQueue();
  /** How often system calls were made that there are not, by number. */
  readonly unknownSystemCalls: Map<number, number> = new Map();
  /** Threads that can go on, in their order. */
  readonly runnable: Task[] = [];
  /** Threads that wait with a deadline. */
  readonly sleeping: Set<Task> = new Set();
  readonly #mostThreads: number;
  #nextPid = 2;
  #tasks = 0;
  /** Somebody outside has something new for a guest. */
  readonly #hostEvents: Set<() => void> = new Set();

  constructor(init: KernelInit) {
    this.root = init.root;
    this.clock = init.clock;
    this.rng = init.rng;
    this.machines = init.machines;
    this.memory = init.memory;
    this.storage = init.storage;
    this.network = init.network;
    this.terminals = init.terminals;
    this.hostName = init.hostName;
    this.#mostThreads = init.mostThreads;
  }

  /** The number of the next process or thread; undefined where there are too many. */
  takeId(): number | undefined {
    if (this.#tasks >= this.#mostThreads) return undefined;
    while (this.processes.has(this.#nextPid)) this.#nextPid++;
    const pid = this.#nextPid++;
    if (this.#nextPid > largestPid) this.#nextPid = 2;
    return pid;
  }

  get taskCount(): number {
    return this.#tasks;
  }

  /** The first process: of a session and group of its own, without any memory yet. */
  createFirst(): Task {
    const pid = this.takeId() ?? 2;
    const session: Session = { id: pid, terminal: undefined };
    const process = new GuestProcess({
      pid,
      parent: undefined,
      kernel: this,
      space: new AddressSpace(this.machines, this.memory),
      descriptors: new FileDescriptors(),
      folder: this.root,
      root: this.root,
      session,
      group: pid,
    });
    this.processes.set(pid, process);
    return this.addTask(process, { tid: pid, name: '' });
  }

  addTask(process: GuestProcess, init: { readonly tid: number; readonly name: string }): Task {
    const task = new Task(process, init);
    process.tasks.add(task);
    this.#tasks++;
    this.runnable.push(task);
    return task;
  }

  wake(task: Task): void {
    if (task.state !== 'waiting') return;
    for (const queue of task.waitingOn) queue.remove(task.wake);
    task.waitingOn = [];
    task.deadlineMs = undefined;
    this.sleeping.delete(task);
    task.state = 'runnable';
    this.resume(task);
  }

  /** Has it run when it is its turn, unless its process is stopped. */
  resume(task: Task): void {
    if (task.state !== 'runnable' || task.process.stoppedBy !== undefined) return;
    if (!this.runnable.includes(task)) this.runnable.push(task);
    for (const listener of this.#hostEvents) listener();
  }

  /** Told whenever a thread becomes able to run. */
  onWake(listener: () => void): () => void {
    this.#hostEvents.add(listener);
    return () => this.#hostEvents.delete(listener);
  }

  endTask(task: Task): void {
    if (task.state === 'dead') return;
    this.#unwait(task);
    task.call?.cancel?.();
    task.call = undefined;
    task.state = 'dead';
    task.process.tasks.delete(task);
    this.#tasks--;
  }

  #unwait(task: Task): void {
    for (const queue of task.waitingOn) queue.remove(task.wake);
    task.waitingOn = [];
    this.sleeping.delete(task);
    const at = this.runnable.indexOf(task);
    if (at >= 0) this.runnable.splice(at, 1);
  }

  /** Those of timer_create, which end with the program. */
  dropTimers({ timers }: GuestProcess): void {
    for (const { running } of timers.values()) this.timers.remove(running);
    timers.clear();
  }

  /** `status` as wait() has it: 256 times the code, or the signal. */
  exitProcess(process: GuestProcess, status: number): void {
    if (process.exitStatus !== undefined) return;
    process.exitStatus = status;
    process.stoppedBy = undefined;
    process.report = undefined;
    for (const task of process.tasks) this.endTask(task);
    this.timers.remove(process.realTimer);
    this.dropTimers(process);
    for (const file of process.descriptors.closeAll('all')) this.closedBy(process, file);
    process.space.saveRegisters();
    process.space.release();
    process.released.wake();
    this.#hangUp(process);
    for (const child of process.children) {
      child.parent = undefined;
      if (child.deathSignal !== 0) {
        sendSignal(child, { signal: child.deathSignal, code: signalCode.user });
      }
      if (child.exitStatus !== undefined) this.reap(child);
    }
    process.children.clear();
    const { parent } = process;
    if (parent === undefined) {
      this.processes.delete(process.pid);
      return;
    }
    const killed = (status & 0x7f) !== 0;
    tellParent(process, {
      code: killed ? signalCode.killed : signalCode.exited,
      status: killed ? status & 0x7f : status >> 8,
    });
    const { flags } = parent.action(signal.child);
    if (parent.ignores(signal.child) || (flags & 2) !== 0) this.reap(process);
  }

  /** Its number and its times are all that was left of it. */
  reap(process: GuestProcess): void {
    process.parent?.children.delete(process);
    this.processes.delete(process.pid);
    process.parent?.childChanged.wake();
  }

  /** Locks of a process on a file are given up with any descriptor of it. */
  closedBy(process: GuestProcess, file: OpenFile): void {
    if (file.inode.kind !== 'file') return;
    file.inode.locks?.release('range', process);
    if (file.references === 0) file.inode.locks?.release('whole', file);
  }

  sendToGroup(group: number, info: SignalInfo): boolean {
    let any = false;
    for (const process of this.processes.values()) {
      if (process.group !== group || process.exitStatus !== undefined) continue;
      sendSignal(process, info);
      any = true;
    }
    return any;
  }

  /** A session's first process takes the terminal from those in the foreground. */
  #hangUp(process: GuestProcess): void {
    const { session } = process;
    const { terminal } = session;
    if (session.id !== process.pid || terminal === undefined) return;
    const info = { code: signalCode.kernel } as const;
    this.sendToGroup(terminal.foreground, { ...info, signal: signal.hangUp });
    this.sendToGroup(terminal.foreground, { ...info, signal: signal.continue });
    session.terminal = undefined;
    terminal.session = undefined;
  }
}
