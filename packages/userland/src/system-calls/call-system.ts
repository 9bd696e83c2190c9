import { MemoryFault } from '@tapline/a64';
import { errno, LinuxError } from '../errno.ts';
import { nextSignal } from '../kernel/send-signal.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { attributeCalls } from './attribute-calls.ts';
import { descriptorCalls } from './descriptor-calls.ts';
import { directoryCalls } from './directory-calls.ts';
import { eventCalls } from './event-calls.ts';
import { fileCalls } from './file-calls.ts';
import { futexCalls } from './futex-calls.ts';
import { identityCalls } from './identity-calls.ts';
import { memoryCalls } from './memory-calls.ts';
import { messageCalls } from './message-calls.ts';
import { namespaceCalls } from './namespace-calls.ts';
import { pollCalls } from './poll-calls.ts';
import { processCalls } from './process-calls.ts';
import { signalCalls } from './signal-calls.ts';
import { socketCalls } from './socket-calls.ts';
import { statCalls } from './stat-calls.ts';
import type { SystemCalls } from './system-call.ts';
import { systemCallNames } from './system-call-names.ts';
import { systemCalls } from './system-calls.ts';
import { timeCalls } from './time-calls.ts';
import { timerCalls } from './timer-calls.ts';

const calls: SystemCalls = {
  ...attributeCalls,
  ...descriptorCalls,
  ...directoryCalls,
  ...eventCalls,
  ...fileCalls,
  ...futexCalls,
  ...identityCalls,
  ...memoryCalls,
  ...messageCalls,
  ...namespaceCalls,
  ...pollCalls,
  ...processCalls,
  ...signalCalls,
  ...socketCalls,
  ...statCalls,
  ...systemCalls,
  ...timeCalls,
  ...timerCalls,
};

/**
 * Does what the thread asks for: the number is in X8, arguments in X0–X5, the answer goes to X0, an
 * error as its negative number. Numbers that are not known are counted. A call that has to wait stays
 * the thread's, and is made again when this is called again.
 */
export function callSystem(task: Task): void {
  const { cpu } = task;
  const { kernel } = task.process;
  task.call ??= {
    number: Number(cpu.x(8) & 0xffffffffn),
    args: [cpu.x(0), cpu.x(1), cpu.x(2), cpu.x(3), cpu.x(4), cpu.x(5)],
    memo: undefined,
    cancel: undefined,
    done: 0,
  };
  const { number, args } = task.call;
  const call = calls[systemCallNames[number] ?? ''];
  if (call === undefined) {
    const { unknownSystemCalls: unknown } = kernel;
    unknown.set(number, (unknown.get(number) ?? 0) + 1);
    answer(task, -errno.noSystemCall);
    return;
  }
  try {
    const result = call(task, args);
    if (result instanceof Wait) suspend(task, result);
    else if (result === undefined) task.call = undefined;
    else answer(task, result);
  } catch (error) {
    if (error instanceof LinuxError) answer(task, -error.errno);
    else if (error instanceof MemoryFault) {
      // The kernel may be the first to use a page of the stack.
      if (task.process.space.growStack(Number(error.address))) callSystem(task);
      else answer(task, -errno.fault);
    } else throw error;
  }
}

function answer(task: Task, result: number | bigint): void {
  task.call = undefined;
  if (task.state !== 'dead') task.cpu.setX(0, BigInt(result));
}

function suspend(task: Task, { queues, deadlineMs }: Wait): void {
  // A signal that has come already is seen to first; the call is made again after it.
  if (task.state === 'dead' || nextSignal(task) !== undefined) return;
  task.state = 'waiting';
  task.waitingOn = queues;
  for (const queue of queues) queue.add(task.wake);
  task.deadlineMs = deadlineMs;
  if (deadlineMs !== undefined) task.process.kernel.sleeping.add(task);
}
