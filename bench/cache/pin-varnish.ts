import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** All threads of Varnish onto the first core, as the others are. */
export function pinVarnish(folder: string): void {
  const pids = execFileSync('pgrep', ['-f', join(folder, 'varnish')], { encoding: 'utf8' });
  for (const pid of pids.trim().split('\n')) {
    execFileSync('taskset', ['-a', '-c', '-p', '0', pid], { stdio: 'ignore' });
  }
}
