import { readdir, readFile } from 'node:fs/promises';
import type { RouteObservation } from './path-observation.ts';
import { parseLink, parseRouteDevice } from './parse-route.ts';
import { runQuietly } from './run-quietly.ts';

/** Which device packets to an address leave by; undefined where there is no ip to ask. */
export async function readRoute(
  address: string,
  signal: AbortSignal,
): Promise<RouteObservation | undefined> {
  const route = await runQuietly('ip', ['-j', 'route', 'get', address], signal);
  const device = route === undefined ? undefined : parseRouteDevice(route);
  if (device === undefined) return undefined;
  const link = await runQuietly('ip', ['-j', '-d', 'link', 'show', 'dev', device], signal);
  const facts = link === undefined ? undefined : parseLink(link);
  if (facts === undefined) return undefined;
  const program = facts.kind === 'tun' ? await tunProgram(device) : undefined;
  return { device, ...facts, program };
}

/** The program that holds a tun device open: the kernel names the device in its open files. */
async function tunProgram(device: string): Promise<string | undefined> {
  const line = new RegExp(`^iff:\\s*${device}$`, 'm');
  const processes = (await readFolder('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    for (const file of await readFolder(`/proc/${pid}/fdinfo`)) {
      if (!line.test(await readText(`/proc/${pid}/fdinfo/${file}`))) continue;
      return (await readText(`/proc/${pid}/comm`)).trim();
    }
  }
  return undefined;
}

async function readFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch {
    // It ended meanwhile, or belongs to another user.
    return [];
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // Closed meanwhile.
    return '';
  }
}
