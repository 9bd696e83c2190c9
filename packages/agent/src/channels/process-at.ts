import { readFileSync } from 'node:fs';

/**
 * When the process `pid` started, in ticks since the machine did; undefined where none is. With the
 * id it names one process: ids are used again (proc_pid_stat(5), field 22). Elsewhere than on Linux
 * it is 0 for any that is there.
 */
export function processAt(pid: number): number | undefined {
  if (process.platform !== 'linux') {
    try {
      process.kill(pid, 0);
      return 0;
    } catch {
      return undefined;
    }
  }
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, field 2, may hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
