import { pathAddress, segmentPath } from '../encryption/segment-path.ts';
import type { SegmentIntent } from '../intent/segment-intent.ts';
import type { LinkState } from '../state/node-state.ts';
import type { ClaimedPort } from './claim-index.ts';
import { describePort, endpointOf, pathTo } from './describe-path.ts';
import type { FabricModel } from './fabric-model.ts';
import { findMissing } from './find-missing.ts';
import { keptByPolicy } from './kept-by-policy.ts';
import { forgedBy } from './find-forged.ts';
import { inspectAnswers } from './inspect-answers.ts';
import type { NodeModel } from './node-model.ts';
import type { Closure } from './segment-closure.ts';
import { linkWeakness, outsideOf } from './underlay-protection.ts';

/** A source address that no node has, and an interface that is none of the encrypted ones. */
const stranger = { ip: '(any other)', device: '(any other)' };

/**
 * All that is found of a segment beside where its own frames go: who else can put frames in, what
 * its ports can forge, what is weaker than it should be, and what is missing.
 */
export function inspectSegment(
  fabric: FabricModel,
  segment: SegmentIntent,
  closure: Closure,
): void {
  const ports = fabric.index.segments.get(segment.vni) ?? [];
  const byNode = Map.groupBy(ports, (port) => port.intent.node);
  for (const [name, local] of byNode) {
    const node = fabric.node(name);
    if (node === undefined) {
      closure.findings.add('unproven', 'node_unobserved', {
        node: name,
        key: '',
        message: `node ${name} has ports of ${segment.name} and was not observed`,
      });
      continue;
    }
    inspectFilters(node, local, closure);
    inspectBridges(fabric, node, { local, closure });
    inspectAnswers(node, local, { ports, closure });
    inspectUnderlay(fabric, node, { segment, closure });
  }
  findForged(ports, closure);
  findMissing(fabric, ports, closure);
}

/** The second layer by itself: only groups that may reach a port leave by it, and 0 never. */
function inspectFilters(node: NodeModel, local: readonly ClaimedPort[], closure: Closure): void {
  const marks = new Set([0]);
  for (const fact of closure.facts) if (fact.mark !== undefined) marks.add(fact.mark);
  for (const port of local) {
    if (!node.links.has(port.device)) continue;
    const about = { node: node.name, key: port.device, to: endpointOf(port) };
    if (!node.hasFilter(port.device)) {
      closure.findings.add('degraded', 'filter_absent', {
        ...about,
        message: `${port.device} of ${node.name} has no filter, or another one before it: only the rules protect ${describePort(port)}`,
      });
      continue;
    }
    const allowed = allowedMarks(port);
    // Above the group may be the VLAN of the segment.
    const wide = [...marks].filter(
      (mark) => !allowed.has(mark & 0xffff) && node.leaves(port.device, mark),
    );
    if (wide.length > 0) {
      closure.findings.add('degraded', 'filter_too_wide', {
        ...about,
        message: `the filter of ${port.device} lets marks leave that may not reach ${describePort(port)}: ${wide.join(', ')}`,
      });
    }
  }
}

/** Groups of the segment that may reach a port. */
function allowedMarks({ segment, intent, group }: ClaimedPort): ReadonlySet<number> {
  if (intent.role.kind === 'promiscuous') {
    return new Set([1, 2, ...Object.values(segment.communities)]);
  }
  return new Set(intent.role.kind === 'community' ? [1, group] : [1]);
}

/** Who else is in a bridge of the segment, and what the node itself can do there. */
function inspectBridges(
  fabric: FabricModel,
  node: NodeModel,
  { local, closure }: { readonly local: readonly ClaimedPort[]; readonly closure: Closure },
): void {
  const claimed = fabric.index.devices.get(node.name);
  for (const [bridge, vlans] of bridgesOf(node, local)) {
    if (node.state.addresses.some(({ dev }) => dev === bridge)) {
      closure.findings.add('degraded', 'host_address', {
        node: node.name,
        key: bridge,
        message: `${bridge} of ${node.name} has an address: only the rules keep the node out of the segment`,
      });
    }
    const members = [...vlans].flatMap((vlan) => node.vlans.members(bridge, vlan));
    for (const link of new Set(members)) {
      inspectMember(node, link, closure);
      if (link.vxlan === undefined && claimed?.get(link.name) === undefined) {
        inspectStranger(node, link, { local, closure });
      }
    }
  }
  for (const port of local) {
    const frame = node.fromHost(port.device).find((entry) => node.leaves(port.device, entry.mark));
    if (frame === undefined || !node.links.has(port.device)) continue;
    closure.findings.add('leak', 'host_reached', {
      node: node.name,
      key: `from ${port.device}`,
      message: `frames of node ${node.name} itself reach ${describePort(port)}`,
      from: { node: node.name, device: node.links.get(port.device)?.master ?? '' },
      to: endpointOf(port),
    });
  }
}

function inspectMember(node: NodeModel, link: LinkState, closure: Closure): void {
  const learns = link.bridgePort?.learning === true || link.vxlan?.learning === true;
  if (learns) {
    closure.findings.add('degraded', 'learning_on', {
      node: node.name,
      key: link.name,
      message: `${link.name} of ${node.name} learns from frames where they are to go`,
    });
  }
  if (link.vxlan !== undefined && !link.vxlan.gbp) {
    closure.findings.add('degraded', 'group_policy_off', {
      node: node.name,
      key: link.name,
      message: `${link.name} of ${node.name} does not carry groups: frames of other nodes bear none`,
    });
  }
  for (const stacked of node.stackedOn(link.name)) {
    closure.findings.add('degraded', 'device_stacked', {
      node: node.name,
      key: stacked.name,
      message: `${stacked.name} (${stacked.kind}) stands on ${link.name} of ${node.name} and sees its frames`,
    });
  }
}

/** An interface that is in a bridge of the segment and not in the claim can send anything. */
function inspectStranger(
  node: NodeModel,
  link: LinkState,
  { local, closure }: { readonly local: readonly ClaimedPort[]; readonly closure: Closure },
): void {
  const entered = node.enter(link.name, undefined);
  const vlans = node.vlans.of(link);
  const targets = [...local.map((port) => port.device), ...vxlanMembers(node, link, vlans)];
  for (const frame of entered) {
    for (const device of targets) {
      const out = node
        .forward(link.name, device, frame.mark)
        .find((entry) => node.leaves(device, entry.mark));
      if (out === undefined) continue;
      closure.findings.add('leak', 'stranger_in_bridge', {
        node: node.name,
        key: `from ${link.name}`,
        message: `frames of ${link.name}, which no port is, reach ${device} on ${node.name}`,
        from: { node: node.name, device: link.name },
        to: { node: node.name, device },
      });
      return;
    }
  }
  closure.findings.add('degraded', 'stranger_in_bridge', {
    node: node.name,
    key: `from ${link.name}`,
    message: `${link.name} is in ${link.master ?? ''} of ${node.name} and no port is; only rules keep it out`,
  });
}

/** Bridges of ports, and the VLANs of them that the ports are in. */
function bridgesOf(
  node: NodeModel,
  local: readonly ClaimedPort[],
): ReadonlyMap<string, ReadonlySet<number>> {
  const bridges = new Map<string, Set<number>>();
  for (const { device } of local) {
    const link = node.links.get(device);
    const vlans = bridges.get(link?.master ?? '') ?? new Set();
    for (const vlan of link === undefined ? [] : node.vlans.of(link)) vlans.add(vlan);
    bridges.set(link?.master ?? '', vlans);
  }
  return bridges;
}

function vxlanMembers(
  node: NodeModel,
  link: LinkState,
  vlans: readonly number[],
): readonly string[] {
  const members = vlans.flatMap((vlan) => node.vlans.members(link.master ?? '', vlan));
  return members.filter((entry) => entry.vxlan !== undefined).map((entry) => entry.name);
}

/** Whether VXLAN packets come in from others, or in the clear where that is not asked for. */
function inspectUnderlay(
  fabric: FabricModel,
  node: NodeModel,
  { segment, closure }: { readonly segment: SegmentIntent; readonly closure: Closure },
): void {
  const { vni, encryption } = segment;
  const port = fabric.index.claim.vxlanPort;
  const devices = node.receivers(port, vni);
  if (devices.length === 0) return;
  const encrypted = encryption.underlay !== 'none';
  const sources = new Set([stranger.ip, `${stranger.ip}:`]);
  if (encrypted) for (const address of fabric.index.addresses.keys()) sources.add(address);
  const device = outsideOf(node.state) ?? stranger.device;
  const local = devices[0]?.vxlan?.local ?? '';
  const peers = peersOf(fabric, node, segment);
  for (const source of sources) {
    const packet = { device, source, port, vni, protected: false };
    const own = !source.startsWith(stranger.ip);
    const isLet = node.accepts(packet).length > 0;
    const isKept =
      encryption.underlay === 'ipsec' &&
      keptByPolicy(node.state.xfrm, { source: own ? source : undefined, local, port });
    if (encryption.underlay === 'ipsec' && isLet === isKept && (isLet || peers.has(source))) {
      const [only, code] = isLet
        ? (['policies of IPsec', 'rules_absent'] as const)
        : (['the rules', 'policy_absent'] as const);
      closure.findings.add('degraded', code, {
        node: node.name,
        key: `plaintext ${vni}`,
        message: `only ${only} of ${node.name} keep packets of ${segment.name} (VNI ${vni}) out that come in the clear`,
      });
    }
    if (!isLet || isKept) continue;
    const message = own
      ? `${node.name} takes packets of ${segment.name} (VNI ${vni}) from ${source} in the clear`
      : `${node.name} takes packets of ${segment.name} (VNI ${vni}) from addresses that are no node's`;
    closure.findings.add(
      encrypted ? 'leak' : 'degraded',
      own ? 'plaintext_accepted' : 'stranger_accepted',
      { node: node.name, key: String(vni), message },
    );
  }
  if (encryption.link !== 'macsec') return;
  const claimed = fabric.index.claim.nodes.find(({ name }) => name === node.name);
  const why = linkWeakness(node.state, claimed?.link?.address ?? claimed?.underlay ?? '');
  if (why === undefined) return;
  closure.findings.add('leak', 'link_unencrypted', {
    node: node.name,
    key: '',
    message: `the link of ${node.name} is not encrypted as ${segment.name} asks: ${why}`,
  });
}

/** Where other nodes with ports of a segment send from. */
function peersOf(
  fabric: FabricModel,
  node: NodeModel,
  { ports, encryption }: SegmentIntent,
): ReadonlySet<string | undefined> {
  const names = new Set(ports.map((port) => port.node));
  names.delete(node.name);
  const path = segmentPath(encryption);
  const peers = fabric.index.claim.nodes.filter(({ name }) => names.has(name));
  return new Set(peers.map((peer) => pathAddress(peer, path)));
}

/** Forged sources that reach some port; those that reach none harm nobody. */
function findForged(ports: readonly ClaimedPort[], closure: Closure): void {
  const carried = new Set(
    closure.facts
      .filter((fact) => fact.reached.size > 0)
      .map((fact) => `${fact.group} ${fact.mark ?? 'any'}`),
  );
  for (const port of ports) {
    const frames = closure.entered
      .get(port)
      ?.filter((frame) => carried.has(`${port.group} ${frame.mark ?? 'any'}`));
    if (frames === undefined || frames.length === 0) continue;
    const what = forgedBy(port, frames);
    if (what === undefined) continue;
    const fact = closure.facts.find((entry) => entry.ports.includes(port));
    closure.findings.add('leak', 'source_forged', {
      node: port.intent.node,
      key: port.device,
      message: `${describePort(port)} can forge ${what}`,
      from: endpointOf(port),
      path: () => (fact === undefined ? [] : pathTo(fact)),
    });
  }
}
