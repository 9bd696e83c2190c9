import type { Stop, SystemCallOutcome } from '@tapline/a64';
import { TaplineError } from '@tapline/base';
import type { AddressSpace } from '../memory/address-space.ts';
import { callSystem } from '../system-calls/call-system.ts';
import { deliverFault, deliverSignals } from './deliver-signals.ts';
import type { GuestProcess } from './guest-process.ts';
import type { Kernel } from './kernel.ts';
import { nextSignal } from './send-signal.ts';
import { signal, signalCode, type SignalInfo } from './signals.ts';
import type { Task } from './task.ts';

/** What a thread may use before it is another's turn: some milliseconds. */
const slice = 500_000;
/** What timers of hosts can count to. */
const longest = 2 ** 30;
const callCost = 50;
/** How long guests run before the host gets a turn. */
const turnMs = 100;

export interface RunKernelOptions {
  /** Instructions, calls and turns of loops after which all is given up. */
  readonly fuel: number;
  readonly signal?: AbortSignal;
}

/** Runs all processes until the first one has ended; says its status as wait() has it. */
export async function runKernel(
  kernel: Kernel,
  first: GuestProcess,
  options: RunKernelOptions,
): Promise<number> {
  const { clock } = kernel;
  let fuel = options.fuel;
  let running: AddressSpace | undefined;
  let turnStarted = clock.monotonic();
  while (first.exitStatus === undefined) {
    options.signal?.throwIfAborted();
    const now = clock.monotonic();
    kernel.timers.fireDue(now);
    wakeSleepers(kernel, now);
    const task = kernel.runnable.shift();
    if (task === undefined) {
      await nextEvent(kernel, options.signal);
      turnStarted = clock.monotonic();
      continue;
    }
    if (task.process.stoppedBy !== undefined) continue;
    const { space } = task.process;
    if (running !== space) {
      if (running !== undefined && running.references > 0 && running.hasShared) {
        running.storeShared();
      }
      if (space.hasShared) space.loadShared();
      running = space;
    }
    fuel -= runSlice(task, { most: fuel, endsMs: turnStarted + turnMs });
    const after = clock.monotonic();
    task.process.usedMs += after - now;
    if (task.state === 'runnable' && task.process.stoppedBy === undefined) kernel.resume(task);
    if (fuel <= 0 && first.exitStatus === undefined) {
      throw new TaplineError(
        'guest_fuel',
        `the program has not ended after ${options.fuel} instructions and turns of loops`,
      );
    }
    if (after - turnStarted > turnMs) {
      await clock.sleep(0);
      turnStarted = clock.monotonic();
    }
  }
  return first.exitStatus;
}

/** A thread that is alone goes on beyond its slice, until the host has its turn or fuel is used up. */
interface Turn {
  readonly most: number;
  readonly endsMs: number;
}

/** Runs one thread until it waits, ends, or has had its turn; says what that cost. */
function runSlice(task: Task, turn: Turn): number {
  const { process } = task;
  const { kernel } = process;
  let granted = slice;
  let left = slice;
  const refuel = (): number => {
    if (granted + slice > turn.most || isAwaited(task, turn)) return 0;
    granted += slice;
    left += slice;
    return slice;
  };
  while (task.state === 'runnable' && left > 0) {
    if (!deliverSignals(task)) break;
    if (task.call !== undefined) {
      callSystem(task);
      left -= callCost;
      continue;
    }
    const { cpu } = task;
    const { machines } = kernel;
    machines.systemCall = () => callFromCode(task);
    machines.refuel = refuel;
    const stop = process.space.machine.run(left);
    machines.systemCall = undefined;
    machines.refuel = undefined;
    // Calls of the system cost, too, so that a loop of them ends.
    left -= Math.max(left - cpu.fuel, 1);
    if (stop.kind === 'fuel') continue;
    if (stop.kind === 'system-call') {
      callSystem(task);
      left -= callCost;
    } else if (!handleFault(task, stop)) break;
  }
  return granted - left;
}

/** Whether somebody else is to run, or something is to be done, before a thread goes on. */
function isAwaited(task: Task, { endsMs }: Turn): boolean {
  const { kernel } = task.process;
  const now = kernel.clock.monotonic();
  return (
    now >= endsMs ||
    kernel.runnable.length > 0 ||
    task.process.stoppedBy !== undefined ||
    nextSignal(task) !== undefined ||
    (nextDue(kernel) ?? Infinity) <= now
  );
}

/** A system call within translated code, which goes on where nothing has come between. */
function callFromCode(task: Task): SystemCallOutcome {
  const { process, cpu } = task;
  const { space } = process;
  cpu.fuel -= callCost;
  callSystem(task);
  const goesOn =
    task.state === 'runnable' &&
    task.call === undefined &&
    task.maskAfterCall === undefined &&
    process.space === space &&
    process.stoppedBy === undefined &&
    nextSignal(task) === undefined;
  return goesOn ? 'done' : 'left';
}

function handleFault(task: Task, stop: Exclude<Stop, { kind: 'fuel' | 'system-call' }>): boolean {
  const { space } = task.process;
  if (stop.kind === 'memory-fault' && space.growStack(Number(stop.address))) return true;
  return deliverFault(task, faultOf(task, stop));
}

function faultOf(task: Task, stop: Exclude<Stop, { kind: 'fuel' | 'system-call' }>): SignalInfo {
  const { pc } = task.cpu;
  switch (stop.kind) {
    case 'breakpoint':
      return { signal: signal.trap, code: 1, address: pc };
    case 'undefined-instruction':
      return { signal: signal.illegal, code: 1, address: pc };
    case 'memory-fault': {
      const { address, access } = stop;
      if (access === 'execute' && (address & 3n) !== 0n) {
        return { signal: signal.bus, code: 1, address };
      }
      const mapped = task.process.space.regionAt(Number(address)) !== undefined;
      const code = mapped ? signalCode.accessError : signalCode.mapError;
      return { signal: signal.segment, code, address };
    }
  }
}

function wakeSleepers(kernel: Kernel, now: number): void {
  for (const task of kernel.sleeping) {
    if (task.deadlineMs !== undefined && task.deadlineMs <= now) kernel.wake(task);
  }
}

/** Nobody can go on: the next thing is a time, or something from outside. */
async function nextEvent(kernel: Kernel, aborted: AbortSignal | undefined): Promise<void> {
  const due = nextDue(kernel);
  const done = new AbortController();
  const signals = aborted === undefined ? [done.signal] : [done.signal, aborted];
  const waiting = AbortSignal.any(signals);
  const woken = Promise.withResolvers<void>();
  const forget = kernel.onWake(woken.resolve);
  const giveUp = (): void => woken.resolve();
  aborted?.addEventListener('abort', giveUp, { once: true });
  try {
    // Without a time it is a long one: a host that sees nothing to wait for would end.
    const ms = due === undefined ? longest : Math.max(due - kernel.clock.monotonic(), 0);
    const slept = kernel.clock.sleep(Math.min(ms, longest), { signal: waiting }).catch(() => {});
    await Promise.race([woken.promise, slept]);
  } finally {
    forget();
    aborted?.removeEventListener('abort', giveUp);
    done.abort();
  }
}

function nextDue(kernel: Kernel): number | undefined {
  let due = kernel.timers.nextMs();
  for (const { deadlineMs } of kernel.sleeping) {
    if (deadlineMs !== undefined) due = Math.min(due ?? deadlineMs, deadlineMs);
  }
  return due;
}
