import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { mountsBelow, processesOf, removeContainers } from './containers.ts';

const ownerFile = 'owner-of-this-test';

/**
 * A temporary folder that says which process it is of. What a test that was killed has left in one, with the
 * caches, containers and mounts that its agents leave running on purpose, goes when the next one starts.
 */
export async function ownedFolder(): Promise<TemporaryFolder> {
  await clearLeftovers();
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, ownerFile), `${process.pid} ${startOf(process.pid) ?? ''}`);
  return folder;
}

/** Ends and removes all that is of tests whose process is gone; answers their folders. */
export async function clearLeftovers(): Promise<readonly string[]> {
  const dead = readdirSync(tmpdir())
    .filter((name) => name.startsWith('tapline-'))
    .map((name) => join(tmpdir(), name))
    .filter((path) => isDead(join(path, ownerFile)));
  for (const path of dead) {
    for (const line of processesOf(path)) end(Number(line.split(':', 1)[0]));
    for (const name of readdirSync(path)) removeContainers(join(path, name, 'runtime', 'runc'));
    for (const mount of mountsBelow(path)) spawnSync('umount', ['--lazy', mount]);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
  return dead;
}

function isDead(file: string): boolean {
  if (!existsSync(file)) return false;
  const [pid = '', start = ''] = readFileSync(file, 'utf8').split(' ');
  // Numbers of processes are used again: by when it began it is this one or another.
  return pid !== '' && startOf(Number(pid)) !== start;
}

/** When a process began, in ticks since the boot. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
