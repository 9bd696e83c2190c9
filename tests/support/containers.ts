import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A container as runc knows it. */
export interface ListedContainer {
  readonly id: string;
  readonly status: string;
  readonly pid: number;
}

/** All containers below a folder of runc's state. */
export function listContainers(root: string): readonly ListedContainer[] {
  if (!existsSync(root)) return [];
  const text = execFileSync('runc', ['--root', root, 'list', '--format', 'json'], {
    encoding: 'utf8',
    // It complains of containers that end while it lists them.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return (JSON.parse(text) as readonly ListedContainer[] | null) ?? [];
}

export function removeContainers(root: string): void {
  for (const { id } of listContainers(root)) {
    spawnSync('runc', ['--root', root, 'delete', '--force', id]);
  }
}

/** Mount points at or below a folder, deepest first. */
export function mountsBelow(folder: string): readonly string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length);
}

/** Command lines of processes that name the folder or work in it. */
export function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const cwd = readlinkSync(`/proc/${pid}/cwd`);
        const concerns = command.includes(folder) || cwd.startsWith(folder);
        return concerns ? [`${pid}: ${command}`] : [];
      } catch {
        // It ended while it was looked at.
        return [];
      }
    });
}
