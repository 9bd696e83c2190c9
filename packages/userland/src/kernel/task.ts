import { cpuLayout, type Cpu, type LinearMemory } from '@tapline/a64';
import type { RegisterOwner } from '../memory/address-space.ts';
import type { GuestProcess } from './guest-process.ts';
import { neverBlocked, type SignalInfo } from './signals.ts';
import type { WaitQueue } from './wait-queue.ts';

export type SystemCallArguments = readonly [bigint, bigint, bigint, bigint, bigint, bigint];

/** A system call that has not been answered yet. */
export interface CallUnderWay {
  readonly number: number;
  readonly args: SystemCallArguments;
  /** What the call keeps until it is made again. */
  memo: unknown;
  /** Cleans up where it is not made again. */
  cancel: (() => void) | undefined;
  /** Bytes that have gone already: the answer where a signal interrupts it. */
  done: number;
}

export interface AlternativeStack {
  readonly address: bigint;
  readonly size: bigint;
  readonly flags: number;
}

const noStack: AlternativeStack = { address: 0n, size: 0n, flags: 2 };

/** A thread: registers, signals of its own, and what it waits for. */
export class Task implements RegisterOwner {
  readonly tid: number;
  readonly process: GuestProcess;
  readonly savedRegisters: Uint8Array = new Uint8Array(cpuLayout.size);
  state: 'runnable' | 'waiting' | 'dead' = 'runnable';
  call: CallUnderWay | undefined;
  /** While it waits: what wakes it, and when. */
  waitingOn: readonly WaitQueue[] = [];
  deadlineMs: number | undefined;
  readonly wake: () => void;
  #mask = 0n;
  /** What the mask is again when the call is over that changed it for its time. */
  maskAfterCall: bigint | undefined;
  readonly pending: Map<number, SignalInfo> = new Map();
  alternativeStack: AlternativeStack = noStack;
  /** Where to put zero, and whom to wake, when it ends (set_tid_address). */
  clearChildTid = 0n;
  robustList = 0n;
  name: string;

  constructor(process: GuestProcess, init: { readonly tid: number; readonly name: string }) {
    this.process = process;
    this.tid = init.tid;
    this.name = init.name;
    this.wake = () => process.kernel.wake(this);
  }

  get mask(): bigint {
    return this.#mask;
  }

  set mask(value: bigint) {
    this.#mask = value & ~neverBlocked;
  }

  /** Its processor: only while it runs. */
  get cpu(): Cpu {
    return this.process.space.enter(this);
  }

  get memory(): LinearMemory {
    return this.process.space.memory;
  }

  get pid(): number {
    return this.process.pid;
  }

  resetSignalStack(): void {
    this.alternativeStack = noStack;
  }
}
