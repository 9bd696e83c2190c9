import { join } from 'node:path';
import { silentLog, systemClock } from '@tapline/base';
import { createFabric, type Fabric, startHelper } from '@tapline/fabric';
import {
  type FabricIntent,
  mayReach,
  portEndName,
  portMac,
  type PortIntent,
  type PortRole,
  type SegmentIntent,
} from '@tapline/segments';
import type { TestNetwork } from './build-network.ts';
import type { Station } from './frames.ts';

/** A port of every kind, on every node. */
export const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
  { kind: 'isolated' },
];

export interface Workload extends Station {
  readonly name: string;
  readonly namespace: string;
  readonly device: string;
  readonly node: string;
  readonly role: PortRole;
  readonly port: PortIntent;
}

export const vni = 0xa1b2c3;

export function workloadNames(nodes: number): readonly string[] {
  return Array.from({ length: nodes * roles.length }, (_, index) => `w${index + 1}`);
}

/** One segment with a port of each role on each node, each in a namespace of its own. */
export function testSegment(
  network: TestNetwork,
  override: Partial<SegmentIntent> & { readonly change?: (port: PortIntent) => PortIntent } = {},
): SegmentIntent {
  const { change = (port) => port, ...rest } = override;
  const ports = network.nodes.flatMap((node, at) =>
    roles.map((role, number): PortIntent => {
      const index = at * roles.length + number + 1;
      return change({
        node: node.name,
        index,
        incarnation: 1,
        owner: `w${index}`,
        addresses: [`10.7.0.${index}`, `fd00:7::${index.toString(16)}`],
        role,
        attach: { kind: 'namespace', path: `/run/netns/${network.namespace(`w${index}`)}` },
      });
    }),
  );
  return {
    name: 'news',
    vni,
    subnet: '10.7.0.0/24',
    mtu: 1300,
    encryption: { underlay: 'none', link: 'none' },
    communities: { a: 16, b: 17 },
    ports,
    ...rest,
  };
}

export function workloads(network: TestNetwork, segment: SegmentIntent): readonly Workload[] {
  return segment.ports.map((port) => ({
    name: port.owner,
    namespace: network.namespace(port.owner),
    device: portEndName(segment.vni, port),
    node: port.node,
    role: port.role,
    port,
    mac: portMac(segment.vni, port.index),
    ip: port.addresses[0] ?? '',
    ip6: port.addresses[1] ?? '',
  }));
}

export function testIntent(
  network: TestNetwork,
  segments: readonly SegmentIntent[],
  keys: Readonly<Record<string, string>> = {},
): FabricIntent {
  return {
    vxlanPort: 4789,
    nodes: network.nodes.map(({ name, underlay }, index) => {
      const wireguardKey = keys[name];
      return {
        name,
        underlay,
        vtep: wireguardKey === undefined ? underlay : `10.99.0.${index + 1}`,
        ...(wireguardKey !== undefined && { wireguardKey }),
      };
    }),
    segments,
  };
}

export function reaches(from: Workload, to: Workload): boolean {
  return from.name !== to.name && mayReach(from.role, to.role);
}

/** A fabric in a node's namespace, its privileged part a process of its own. */
export function startFabric(
  network: TestNetwork,
  node: string,
  options: { readonly folder: string; readonly resyncMs?: number },
): { readonly fabric: Fabric; readonly helper: ReturnType<typeof startHelper> } {
  const namespace = network.nodes.find(({ name }) => name === node)?.namespace ?? '';
  const helper = startHelper({
    prefix: [
      'nsenter',
      `--net=/run/netns/${namespace}`,
      // wireguard-go's socket is named for its device, which every node has.
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard && exec "$@"',
      'sh',
    ],
    wireguardKeyFile: join(options.folder, `${node}.key`),
  });
  const { resyncMs } = options;
  const fabric = createFabric({
    node,
    helper,
    clock: systemClock,
    log: silentLog,
    ...(resyncMs !== undefined && { resyncMs }),
  });
  return { fabric, helper };
}
