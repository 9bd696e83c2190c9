import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What this machine can enforce; decided once per runtime. */
export interface HostSupport {
  readonly root: boolean;
  readonly userNamespaces: boolean;
  readonly cgroups: { readonly memory: boolean; readonly pids: boolean; readonly cpu: boolean };
}

const cgroupRoot = '/sys/fs/cgroup';
/** All control groups of Tapline are below this one. */
export const cgroupParent = 'tapline';

/** Finds out by trying, not by version: containers and virtual machines lack parts of each. */
export function probeHost(): HostSupport {
  return {
    root: process.getuid?.() === 0,
    userNamespaces: spawnSync('unshare', ['--user', 'true']).status === 0,
    cgroups: {
      memory: hasController('memory'),
      pids: hasController('pids'),
      cpu: hasController('cpu'),
    },
  };
}

/** cgroup v2 has one tree with a list of controllers; v1 a tree for each. */
function hasController(name: string): boolean {
  const unified = join(cgroupRoot, 'cgroup.controllers');
  if (existsSync(unified)) {
    return readFileSync(unified, 'utf8').trim().split(' ').includes(name) && isWritable(cgroupRoot);
  }
  return isWritable(join(cgroupRoot, name));
}

function isWritable(hierarchy: string): boolean {
  if (!existsSync(join(hierarchy, 'cgroup.procs'))) return false;
  try {
    accessSync(hierarchy, constants.W_OK);
    mkdirSync(join(hierarchy, cgroupParent), { recursive: true });
    return true;
  } catch {
    // Read-only, as within a container: limits are then kept by other means, and that is said.
    return false;
  }
}
