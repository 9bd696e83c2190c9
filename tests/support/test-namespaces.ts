import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';

/** Runs a command in a network namespace and returns what it prints. */
export function runInside(
  namespace: string,
  command: readonly [string, ...string[]],
  stdin = '',
): string {
  return execFileSync('nsenter', [`--net=/run/netns/${namespace}`, ...command], {
    input: stdin,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
}

/** Lines for `ip -batch`, in this namespace or another. */
export function ipBatch(lines: readonly string[], namespace?: string): void {
  const input = `${lines.join('\n')}\n`;
  if (namespace === undefined) {
    execFileSync('ip', ['-batch', '-'], { input, stdio: ['pipe', 'pipe', 'pipe'] });
  } else runInside(namespace, ['ip', '-batch', '-'], input);
}

/** Deletes namespaces and ends the processes in them, which would keep them alive. */
export function removeNamespaces(spaces: readonly string[]): void {
  const inodes = new Set(spaces.map((space) => statSync(`/run/netns/${space}`).ino));
  for (const pid of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(pid) || Number(pid) === process.pid) continue;
    const inode = namespaceOf(pid);
    if (inode !== undefined && inodes.has(inode)) tryKill(Number(pid));
  }
  ipBatch(spaces.map((space) => `netns delete ${space}`));
}

/** Removes what tests that were killed left: their process is in the name, `<prefix><pid>x…`. */
export function removeLeftovers(prefix: string): void {
  if (!existsSync('/run/netns')) return;
  const dead = readdirSync('/run/netns').filter((name) => {
    const [, pid] = new RegExp(`^${prefix}([0-9]+)x`).exec(name) ?? [];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  if (dead.length > 0) removeNamespaces(dead);
}

function namespaceOf(pid: string): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino;
  } catch {
    // It ended meanwhile, or has none any more.
    return undefined;
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
