import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { randomUUID } from 'node:crypto';

export interface TestNode {
  readonly name: string;
  readonly namespace: string;
  readonly underlay: string;
}

/** Nodes behind a router, each with a link of its own, and a stranger behind the same router. */
export interface TestNetwork extends Disposable {
  readonly nodes: readonly TestNode[];
  readonly stranger: TestNode;
  readonly router: string;
  /** A namespace for a workload. */
  namespace(name: string): string;
  /** Runs a command in a namespace and returns what it prints. */
  run(namespace: string, command: readonly [string, ...string[]], stdin?: string): string;
}

const prefix = 'tlseg';

export function buildNetwork(
  names: readonly string[],
  workloads: readonly string[] = [],
): TestNetwork {
  removeLeftovers();
  // The process is in the name, so that what a killed one left is known again.
  const id = `${prefix}${process.pid}x${randomUUID().slice(0, 4)}`;
  const namespace = (name: string): string => `${id}-${name}`;
  const router = namespace('router');
  const all = [...names, 'stranger'].map((name, index) => ({
    name,
    namespace: namespace(name),
    underlay: `172.30.${index + 1}.2`,
  }));
  const spaces = [router, ...all.map((node) => node.namespace), ...workloads.map(namespace)];
  ipBatch(spaces.map((space) => `netns add ${space}`));
  ipBatch(
    all.map(
      ({ namespace: space }, index) =>
        `link add r${index + 1} netns ${router} type veth peer name eth0 netns ${space}`,
    ),
  );
  inside(router, [
    'link set lo up',
    ...all.flatMap((_, index) => [
      `address add 172.30.${index + 1}.1/30 dev r${index + 1}`,
      `link set r${index + 1} up`,
    ]),
  ]);
  run(router, ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  all.forEach(({ namespace: space, underlay }, index) =>
    inside(space, [
      'link set lo up',
      `address add ${underlay}/30 dev eth0`,
      'link set eth0 up',
      `route add default via 172.30.${index + 1}.1`,
    ]),
  );
  const nodes = all.slice(0, -1);
  const [stranger] = all.slice(-1);
  if (stranger === undefined) throw new Error('no stranger');
  return {
    nodes,
    stranger,
    router,
    namespace,
    run,
    [Symbol.dispose]() {
      removeNamespaces(spaces);
    },
  };
}

function run(namespace: string, command: readonly [string, ...string[]], stdin = ''): string {
  return execFileSync('nsenter', [`--net=/run/netns/${namespace}`, ...command], {
    input: stdin,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
}

function inside(namespace: string, lines: readonly string[]): void {
  run(namespace, ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
}

function ipBatch(lines: readonly string[]): void {
  execFileSync('ip', ['-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function removeNamespaces(spaces: readonly string[]): void {
  // Processes of a namespace keep it alive: WireGuard's, in user space.
  const inodes = new Set(spaces.map((space) => statSync(`/run/netns/${space}`).ino));
  for (const pid of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(pid) || Number(pid) === process.pid) continue;
    const inode = namespaceOf(pid);
    if (inode !== undefined && inodes.has(inode)) tryKill(Number(pid));
  }
  ipBatch(spaces.map((space) => `netns delete ${space}`));
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

function removeLeftovers(): void {
  if (!existsSync('/run/netns')) return;
  const dead = readdirSync('/run/netns').filter((name) => {
    const [, pid] = /^tlseg([0-9]+)x/.exec(name) ?? [];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  if (dead.length > 0) removeNamespaces(dead);
}
