import type { GuestProcess } from './guest-process.ts';
import {
  defaultActionOf,
  defaultHandler,
  ignoreHandler,
  signal,
  signalBit,
  signalCode,
  type SignalInfo,
} from './signals.ts';
import type { Task } from './task.ts';

/** To the process, or to one of its threads. What would do nothing is not even kept. */
export function sendSignal(process: GuestProcess, info: SignalInfo, only?: Task): void {
  const number = info.signal;
  if (process.exitStatus !== undefined || number === 0) return;
  const kind = defaultActionOf(number);
  if (number === signal.continue || number === signal.kill) continueProcess(process);
  if (kind === 'stop') process.pending.delete(signal.continue);
  const targets = only === undefined ? [...process.tasks] : [only];
  const blocked = targets.every(({ mask }) => (mask & signalBit(number)) !== 0n);
  const { handler } = process.action(number);
  const nothing =
    handler === ignoreHandler ||
    (handler === defaultHandler && (kind === 'ignore' || kind === 'continue'));
  if (nothing && !blocked && number !== signal.kill && number !== signal.stop) return;
  (only ?? process).pending.set(number, info);
  process.kernel.signalled.wake();
  for (const task of targets) {
    if ((task.mask & signalBit(number)) !== 0n) continue;
    process.kernel.wake(task);
    break;
  }
}

/** SIGCONT does that when it is sent, whatever is done about it. */
function continueProcess(process: GuestProcess): void {
  for (const stop of [
    signal.stop,
    signal.terminalStop,
    signal.terminalInput,
    signal.terminalOutput,
  ]) {
    process.pending.delete(stop);
    for (const task of process.tasks) task.pending.delete(stop);
  }
  if (process.stoppedBy === undefined) return;
  process.stoppedBy = undefined;
  process.report = 'continued';
  for (const task of process.tasks) process.kernel.resume(task);
  tellParent(process, { code: signalCode.continued, status: signal.continue });
}

/** SIGCHLD, and whoever waits for children looks again. */
export function tellParent(
  process: GuestProcess,
  what: { readonly code: number; readonly status: number },
): void {
  const { parent } = process;
  if (parent === undefined) return;
  const { pid, credentials } = process;
  sendSignal(parent, { signal: signal.child, pid, uid: credentials.uid, ...what });
  parent.childChanged.wake();
}

/** The signal that this thread has to see to now, lowest number first. */
export function nextSignal(task: Task): number | undefined {
  let found: number | undefined;
  for (const pending of [task.pending, task.process.pending]) {
    for (const number of pending.keys()) {
      if ((task.mask & signalBit(number)) !== 0n) continue;
      if (number === signal.kill) return number;
      if (found === undefined || number < found) found = number;
    }
  }
  return found;
}

export function takeSignal(task: Task, number: number): SignalInfo {
  const own = task.pending.get(number);
  if (own !== undefined) {
    task.pending.delete(number);
    return own;
  }
  const info = task.process.pending.get(number);
  task.process.pending.delete(number);
  return info ?? { signal: number, code: signalCode.user };
}
