import { readOptional } from './read-optional.ts';

/**
 * When process `pid` started, in clock ticks since boot, or undefined where it does not run. With
 * the id it names one process: the kernel uses ids again (proc_pid_stat(5), field 22).
 */
export function processStart(pid: number): number | undefined {
  const text = readOptional(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name, field 2, may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  return state === 'Z' || state === 'X' ? undefined : Number(fields[19]);
}
