import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog, systemClock } from '@tapline/base';
import {
  createFabric,
  type Fabric,
  type FabricHelper,
  type HelperOptions,
  serveRequest,
} from '@tapline/fabric';
import {
  type FabricIntent,
  keyPhase,
  type NodeIntent,
  type NodeLayout,
  portMac,
  type PortIntent,
  type PortRole,
  type SegmentIntent,
} from '@tapline/segments';
import type { TestEnd } from '../support/traffic-classes.ts';
import type { Vm } from './open-vm.ts';

const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
];

/** Nodes inside one machine, in namespaces `n1` and so on. */
export function vmNodesOf(count: number): readonly NodeIntent[] {
  return Array.from({ length: count }, (_, at) => at + 1).map((number) => ({
    name: `n${number}`,
    vtep: `10.99.0.${number}`,
    underlay: `192.0.2.${number * 8 + 2}`,
    link: {
      interface: 'eth1',
      address: `198.51.100.${number}`,
      prefixLength: 24,
      mac: `06:00:00:00:00:0${number}`,
    },
  }));
}

/** Three nodes and six ports, whose workloads are in namespaces `w1` to `w6`. */
export const vmNodes: readonly NodeIntent[] = vmNodesOf(3);

export function vmSegment(
  vni: number,
  encryption: SegmentIntent['encryption'],
  only: (index: number) => boolean = () => true,
): SegmentIntent {
  return {
    name: `s${vni}`,
    vni,
    subnet: `10.${vni & 0xff}.0.0/24`,
    mtu: 1380,
    encryption,
    communities: { a: 16, b: 17 },
    ports: roles
      .map((role, number): PortIntent => ({
        node: `n${Math.floor(number / 2) + 1}`,
        index: number + 1,
        incarnation: 1,
        owner: `w${number + 1}`,
        addresses: [`10.${vni & 0xff}.0.${number + 1}`],
        role,
        attach: { kind: 'namespace', path: `/run/netns/w${number + 1}` },
      }))
      .filter(({ index }) => only(index)),
  };
}

export function vmEnds({ vni, ports }: SegmentIntent): readonly TestEnd[] {
  return ports.map((port) => ({
    intent: port,
    mac: portMac(vni, port.index),
    ipv4: port.addresses[0] ?? '',
  }));
}

/** A router, nodes behind it, a second link that all of them share, and namespaces of workloads. */
export function vmSetUp(nodes: readonly NodeIntent[] = vmNodes, workloads = 6): string {
  const quiet = 'net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1';
  const names = [
    'r',
    ...nodes.map(({ name }) => name),
    ...Array.from({ length: workloads }, (_, at) => `w${at + 1}`),
  ];
  return [
    `for n in ${names.join(' ')}; do ip netns add $n; ip netns exec $n sysctl -qw ${quiet}; done`,
    'ip netns exec r sysctl -qw net.ipv4.ip_forward=1',
    batch('r', [
      'link add lan type bridge mcast_snooping 0',
      'link set lan up',
      ...nodes.flatMap(({ name, link }, index) => [
        `link add r${index + 1} type veth peer name eth0 netns ${name}`,
        `address add 192.0.2.${index * 8 + 9}/29 dev r${index + 1}`,
        `link set r${index + 1} up`,
        `link add l${index + 1} type veth peer name eth1 address ${link?.mac} netns ${name}`,
        `link set l${index + 1} master lan up`,
      ]),
    ]),
    ...nodes.map(({ name, underlay }, index) =>
      batch(name, [
        `address add ${underlay}/29 dev eth0`,
        'link set eth0 up',
        `route add default via 192.0.2.${index * 8 + 9}`,
      ]),
    ),
  ].join('\n');
}

/** A node's fabric as its agent has it, but that its programs run in the machine. */
export interface VmNode extends AsyncDisposable {
  readonly name: string;
  readonly intent: NodeIntent;
  readonly helper: FabricHelper;
  readonly fabric: Fabric;
}

export async function openVmNodes(
  vm: Vm,
  options: {
    readonly folder: string;
    readonly layout?: NodeLayout;
    readonly nodes?: readonly NodeIntent[];
  },
): Promise<readonly VmNode[]> {
  const { layout, nodes = vmNodes } = options;
  // They are one machine with one kernel: what it can is tried once.
  let tried: ReturnType<FabricHelper['capabilities']> | undefined;
  return await Promise.all(
    nodes.map(async (intent) => {
      const { name } = intent;
      const folder = join(options.folder, `${name}-${randomUUID()}`);
      await mkdir(folder);
      const remote = remoteHelper({
        wireguardKeyFile: join(folder, 'wireguard'),
        agreementKeyFile: join(folder, 'agreement'),
        run: (argv, given) => vm.run(name, argv, given?.stdin ?? ''),
      });
      const helper = { ...remote, capabilities: () => (tried ??= remote.capabilities()) };
      const init = { node: name, helper, clock: systemClock, log: silentLog, resyncMs: 1e9 };
      const fabric = createFabric({ ...init, ...(layout !== undefined && { layout }) });
      const dispose = () => fabric[Symbol.asyncDispose]();
      return { name, intent, helper, fabric, [Symbol.asyncDispose]: dispose };
    }),
  );
}

/** What the control plane tells each node: the others' public keys, and keys wrapped for it. */
export async function keyedIntents(
  nodes: readonly VmNode[],
  segments: readonly SegmentIntent[],
  step: number,
): Promise<ReadonlyMap<string, FabricIntent>> {
  const phase = keyPhase(step);
  const keys = new Map(
    await Promise.all(nodes.map(async ({ name, fabric }) => [name, await fabric.keys()] as const)),
  );
  const intents = nodes.map(async ({ name }) => {
    const to = keys.get(name)?.publicKey ?? '';
    const known = nodes.map(async ({ intent: node, fabric }): Promise<NodeIntent> => {
      const own = keys.get(node.name);
      if (own === undefined) throw new Error(`no node ${node.name}`);
      return {
        ...node,
        agreementKey: own.publicKey,
        keyGeneration: own.generation,
        wrappedKeys: await fabric.sealKeys(phase.receive.map((epoch) => ({ to, epoch }))),
      };
    });
    const intent = { vxlanPort: 4789, nodes: await Promise.all(known), segments, keys: phase };
    return [name, intent] as const;
  });
  return new Map(await Promise.all(intents));
}

type Requests = Readonly<Record<string, unknown>>;

function remoteHelper(options: HelperOptions): FabricHelper {
  const ask = async <T>(kind: string, fields: Requests = {}): Promise<T> =>
    (await serveRequest(JSON.parse(JSON.stringify({ kind, ...fields })), options)) as T;
  return {
    capabilities: () => ask('capabilities'),
    read: (what) => ask('read', { what }),
    execute: (operations) => ask('execute', { operations }),
    wireguardKey: () => ask('wireguard-key'),
    namespace: (verb, name) => ask('namespace', { verb, name }),
    keys: () => ask('keys'),
    renewKeys: () => ask('renew-keys'),
    sealKeys: (wanted) => ask('seal-keys', { wanted }),
    onHint: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function batch(namespace: string, lines: readonly string[]): string {
  return `ip -n ${namespace} -batch - <<'END'\n${lines.join('\n')}\nEND`;
}
