import type { AttachmentNode, AttachmentSpec } from '@tapline/resources';
import type {
  FabricIntent,
  NodeIntent,
  PortIntent,
  PortRole,
  SegmentIntent,
} from '@tapline/segments';
import type { AttachmentRecord } from './attachment-record.ts';

/** IANA's for VXLAN; what an intent without segments says. */
const defaultVxlanPort = 4789;

/** The segment that an Attachment speaks of, with the ports that have a place to go to. */
export function segmentIntentOf(
  { spec }: AttachmentRecord,
  namespaceOf: (owner: string) => string | undefined,
): SegmentIntent {
  return {
    name: spec.segment,
    vni: spec.vni,
    subnet: spec.subnet,
    mtu: spec.mtu,
    encryption: spec.encryption,
    communities: spec.communities,
    ports: spec.ports.flatMap((port) => portIntentOf(port, { spec, namespaceOf })),
  };
}

/** All segments of a node as one intent. `segments` are those of the records, in their order. */
export function fabricIntentOf(
  records: readonly AttachmentRecord[],
  segments: readonly SegmentIntent[],
  /** The node itself where no record speaks of it: what it had is taken down all the same. */
  alone: NodeIntent,
): FabricIntent {
  const nodes = new Map<string, NodeIntent>([[alone.name, alone]]);
  for (const { spec } of records.toSorted((a, b) => a.sequence - b.sequence)) {
    for (const peer of spec.peers) nodes.set(peer.name, nodeIntentOf(peer));
    nodes.set(spec.self.name, nodeIntentOf(spec.self));
  }
  return {
    vxlanPort: records.at(-1)?.spec.vxlanPort ?? defaultVxlanPort,
    nodes: [...nodes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    segments,
  };
}

function nodeIntentOf({ name, vtep, underlay, wireguardKey, link }: AttachmentNode): NodeIntent {
  return {
    name,
    vtep,
    underlay,
    ...(wireguardKey === undefined ? {} : { wireguardKey }),
    ...(link === undefined ? {} : { link: linkIntentOf(link) }),
  };
}

function linkIntentOf({
  interface: dev,
  ...rest
}: NonNullable<AttachmentNode['link']>): NonNullable<NodeIntent['link']> {
  return { ...rest, ...(dev === undefined ? {} : { interface: dev }) };
}

/** Nothing where it is a workload's of this node that does not run: its port comes with it. */
function portIntentOf(
  port: AttachmentSpec['ports'][number],
  about: {
    readonly spec: AttachmentSpec;
    readonly namespaceOf: (owner: string) => string | undefined;
  },
): readonly PortIntent[] {
  const { node, index, incarnation, owner, addresses, role, attach } = port;
  const common = { node, index, incarnation, owner, addresses, role: roleOf(role) };
  if (attach.kind === 'host') return [{ ...common, attach: { kind: 'host' } }];
  const path = node === about.spec.node ? about.namespaceOf(owner) : (attach.path ?? '');
  return path === undefined ? [] : [{ ...common, attach: { kind: 'namespace', path } }];
}

function roleOf({
  kind,
  community = 'default',
}: AttachmentSpec['ports'][number]['role']): PortRole {
  return kind === 'community' ? { kind, community } : { kind };
}
