import { MemoryFault } from '@tapline/a64';
import { errno } from '../errno.ts';
import { systemCallNames } from '../system-calls/system-call-names.ts';
import { nextSignal, sendSignal, takeSignal, tellParent } from './send-signal.ts';
import { enterHandler } from './signal-frame.ts';
import {
  actionFlags,
  defaultActionOf,
  defaultHandler,
  ignoreHandler,
  signal,
  signalBit,
  signalCode,
  type SignalInfo,
} from './signals.ts';
import type { Task } from './task.ts';

/** signal(7): these are never made again after a handler, whatever SA_RESTART says. */
const neverRestarted: ReadonlySet<string> = new Set([
  'nanosleep',
  'clock_nanosleep',
  'ppoll',
  'pselect6',
  'epoll_pwait',
  'epoll_pwait2',
  'rt_sigsuspend',
  'rt_sigtimedwait',
]);
/** Signals whose default leaves a core on other systems; wait() says so. */
const coreSignals: ReadonlySet<number> = new Set<number>([
  signal.quit,
  signal.illegal,
  signal.trap,
  signal.abort,
  signal.bus,
  signal.floating,
  signal.segment,
]);

/**
 * Sees to what has come for the thread before it goes on in its program. A call under way is given up
 * for a handler: it answers EINTR, or is made anew afterwards. False where the thread does not go on.
 */
export function deliverSignals(task: Task): boolean {
  const { process } = task;
  for (;;) {
    const number = nextSignal(task);
    if (number === undefined) break;
    const info = takeSignal(task, number);
    const action = process.action(number);
    if (action.handler === ignoreHandler && number !== signal.kill) continue;
    if (action.handler !== defaultHandler && number !== signal.kill && number !== signal.stop) {
      interruptCall(task, action.flags);
      if (!runHandler(task, info)) return false;
      continue;
    }
    switch (defaultActionOf(number)) {
      case 'ignore':
      case 'continue':
        continue;
      case 'stop':
        stopProcess(task, number);
        return false;
      case 'terminate':
        process.kernel.exitProcess(process, exitStatusOf(number));
        return false;
    }
  }
  if (task.call === undefined && task.maskAfterCall !== undefined) {
    task.mask = task.maskAfterCall;
    task.maskAfterCall = undefined;
    if (nextSignal(task) !== undefined) return deliverSignals(task);
  }
  return true;
}

/** A fault cannot be waited for or ignored: without a handler that can be called it is the end. */
export function deliverFault(task: Task, info: SignalInfo): boolean {
  const { process } = task;
  const { handler } = process.action(info.signal);
  const blocked = (task.mask & signalBit(info.signal)) !== 0n;
  if (handler === defaultHandler || handler === ignoreHandler || blocked) {
    process.kernel.exitProcess(process, exitStatusOf(info.signal));
    return false;
  }
  return runHandler(task, info);
}

function exitStatusOf(number: number): number {
  return coreSignals.has(number) ? number | 0x80 : number;
}

function runHandler(task: Task, info: SignalInfo): boolean {
  const { process } = task;
  const action = process.action(info.signal);
  const returnTo = process.space.stackTop;
  for (;;) {
    try {
      enterHandler(task, info, { action, returnTo });
      break;
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error;
      if (process.space.growStack(Number(error.address))) continue;
      process.kernel.exitProcess(process, exitStatusOf(signal.segment));
      return false;
    }
  }
  if ((action.flags & actionFlags.reset) !== 0) process.actions.delete(info.signal);
  return true;
}

function interruptCall(task: Task, flags: number): void {
  const { call, cpu } = task;
  if (call === undefined) return;
  call.cancel?.();
  task.call = undefined;
  const name = systemCallNames[call.number] ?? '';
  if (call.done > 0) cpu.setX(0, BigInt(call.done));
  else if ((flags & actionFlags.restart) !== 0 && !neverRestarted.has(name)) {
    cpu.setX(0, call.args[0]);
    cpu.pc -= 4n;
  } else cpu.setX(0, BigInt(-errno.interrupted));
}

function stopProcess(task: Task, number: number): void {
  const { process } = task;
  process.stoppedBy = number;
  process.report = 'stopped';
  const { parent } = process;
  if (parent === undefined) return;
  const told = (parent.action(signal.child).flags & actionFlags.noChildStop) === 0;
  if (told) tellParent(process, { code: signalCode.stopped, status: number });
  else parent.childChanged.wake();
}

/** SIGPIPE for who writes where nobody reads. */
export function sendBrokenPipe(task: Task): void {
  sendSignal(task.process, { signal: signal.pipe, code: signalCode.user, pid: task.pid }, task);
}
