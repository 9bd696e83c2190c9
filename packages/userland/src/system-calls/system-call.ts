import type { SystemCallArguments, Task } from '../kernel/task.ts';
import type { Wait } from '../kernel/wait-queue.ts';

/**
 * A system call: the six arguments as they are in X0–X5. What it returns goes to X0; errors are
 * thrown as LinuxError. One that has to wait says for what, and is made again. Undefined leaves the
 * registers as they are now: they are those of another program, or of before a signal.
 */
export type SystemCall = (
  task: Task,
  args: SystemCallArguments,
) => number | bigint | Wait | undefined;

export type SystemCalls = Readonly<Record<string, SystemCall>>;
