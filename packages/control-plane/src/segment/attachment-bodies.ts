import { TaplineError } from '@tapline/base';
import type { Waiting } from '@tapline/reconcile';
import type { AttachmentPort, Device } from '@tapline/resources';
import {
  type Lease,
  leastMtu,
  parseIpAddress,
  parseSubnet,
  type PortRecord,
  segmentMtu,
} from '@tapline/segments';
import { type NodeFitness, nodeFitness } from './node-fitness.ts';
import type { SegmentObservation } from './plan-segment.ts';
import type { SettledPorts } from './segment-ledger.ts';
import type { AttachmentBody } from './segment-step.ts';

/** IANA's for VXLAN. */
export const vxlanPort = 4789;
/** RFC 791: what every IPv4 host takes. */
const leastMtu4 = 576;

export interface AttachmentBodies {
  readonly attachments: readonly AttachmentBody[];
  /** Nodes with ports that cannot carry the segment. */
  readonly unfit: readonly Extract<NodeFitness, { kind: 'unfit' }>[];
  readonly waiting: readonly Waiting[];
  readonly mtu: number | undefined;
}

type Fit = Extract<NodeFitness, { kind: 'fit' }>;

/**
 * What each node that has a port of the segment is told. A node that cannot carry it has no part in
 * it, and neither has it any of the others' traffic. Throws `mtu_too_small`.
 */
export function attachmentBodies(
  observed: SegmentObservation,
  about: {
    readonly lease: Lease;
    readonly ledger: SettledPorts;
    readonly devices: readonly Device[];
  },
): AttachmentBodies {
  const { segment, nodes, vteps } = observed;
  const { lease, ledger, devices } = about;
  const { name } = segment.metadata;
  const encryption = segment.spec.encryption ?? { underlay: 'wireguard', link: 'none' };
  const used = ledger.ports.filter(({ released }) => released === undefined);
  const hosts = new Set(used.map(({ node }) => node));
  const fitness = devices
    .filter(({ metadata }) => hosts.has(metadata.name))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((device): readonly [string, NodeFitness] => {
      const { name: node } = device.metadata;
      const wanted = { encryption, vni: lease.first, vxlanPort, vtep: vteps.get(node) };
      return [node, nodeFitness(device, nodes.get(node), wanted)];
    });
  const fit = fitness.flatMap(([, one]) => (one.kind === 'fit' ? [one] : []));
  const names = new Set(fit.map(({ intent }) => intent.name));
  const mtu = mtuOf(fit, { name, encryption, subnet: lease.prefix, least: segment.spec.mtu });
  const ports = used.filter(({ node }) => names.has(node)).map(portIntent);
  const communities = new Set(ports.map(({ role }) => role.community));
  const ids = Object.entries(ledger.communities).filter(([community]) =>
    communities.has(community),
  );
  return {
    attachments: fit.map(({ intent }) => ({
      node: intent.name,
      segment: name,
      vxlanPort,
      self: intent,
      peers: fit.map((one) => one.intent).filter((peer) => peer !== intent),
      vni: lease.first,
      subnet: lease.prefix,
      mtu: mtu ?? 0,
      encryption,
      communities: Object.fromEntries(ids),
      ports,
    })),
    unfit: fitness.flatMap(([, one]) => (one.kind === 'unfit' ? [one] : [])),
    waiting: fitness.flatMap(([node, one]) =>
      one.kind === 'fit' ? [] : [{ what: `node ${node}`, why: one.why }],
    ),
    mtu,
  };
}

function portIntent(record: PortRecord): AttachmentPort {
  const { index, incarnation, owner, node, kind, community, address } = record;
  return {
    node,
    index,
    incarnation,
    owner,
    addresses: [address],
    role: { kind, ...(community === undefined ? {} : { community }) },
    attach: { kind: owner === node ? 'host' : 'namespace' },
  };
}

/** The same for all ports: the least that any node's underlay leaves. */
function mtuOf(
  fit: readonly Fit[],
  about: {
    readonly name: string;
    readonly encryption: Parameters<typeof segmentMtu>[1]['encryption'];
    readonly subnet: string;
    readonly least: number | undefined;
  },
): number | undefined {
  const { name, encryption, subnet } = about;
  const addressOf = ({ vtep, underlay, link }: Fit['intent']): string => {
    if (encryption.underlay === 'wireguard') return vtep;
    return encryption.link === 'macsec' ? (link?.address ?? underlay) : underlay;
  };
  const all = fit.map(({ intent, underlayMtu }) => ({
    node: intent.name,
    underlayMtu,
    mtu: segmentMtu(underlayMtu, {
      encryption,
      family: parseIpAddress(addressOf(intent)).family,
    }),
  }));
  const [smallest] = all.toSorted((a, b) => a.mtu - b.mtu);
  if (smallest === undefined) return undefined;
  const { family } = parseSubnet(subnet);
  const least = Math.max(about.least ?? 0, family === 6 ? leastMtu : leastMtu4);
  if (smallest.mtu >= least) return smallest.mtu;
  throw new TaplineError(
    'mtu_too_small',
    `segment ${name} would have an MTU of ${smallest.mtu} on node ${smallest.node}, whose underlay has ${smallest.underlayMtu}; it needs ${least}`,
    { hint: 'raise the MTU of that underlay, or keep the segment off the node with spec.nodes' },
  );
}
