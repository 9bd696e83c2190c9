import { randomUUID } from 'node:crypto';
import {
  ipBatch,
  removeLeftovers,
  removeNamespaces,
  runInside,
} from '../../support/test-namespaces.ts';

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
  removeLeftovers(prefix);
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
  ipBatch(
    [
      'link set lo up',
      ...all.flatMap((_, index) => [
        `address add 172.30.${index + 1}.1/30 dev r${index + 1}`,
        `link set r${index + 1} up`,
      ]),
    ],
    router,
  );
  runInside(router, ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  all.forEach(({ namespace: space, underlay }, index) =>
    ipBatch(
      [
        'link set lo up',
        `address add ${underlay}/30 dev eth0`,
        'link set eth0 up',
        `route add default via 172.30.${index + 1}.1`,
      ],
      space,
    ),
  );
  const nodes = all.slice(0, -1);
  const [stranger] = all.slice(-1);
  if (stranger === undefined) throw new Error('no stranger');
  return {
    nodes,
    stranger,
    router,
    namespace,
    run: runInside,
    [Symbol.dispose]() {
      removeNamespaces(spaces);
    },
  };
}
