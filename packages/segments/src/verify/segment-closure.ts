import type { FdbEntry, LinkState } from '../state/node-state.ts';
import type { SegmentIntent } from '../intent/segment-intent.ts';
import { type ClaimedPort, isAllowed } from './claim-index.ts';
import { describePort, endpointOf, filterHop, forwardHop, pathTo } from './describe-path.ts';
import type { FabricModel } from './fabric-model.ts';
import type { Fact, Origin } from './fact.ts';
import type { Frame, Reason } from './frame.ts';
import type { NodeModel } from './node-model.ts';
import { protectionOf } from './underlay-protection.ts';
import type { Endpoint, Finding, FindingCode, FindingKind, Hop } from './verdict.ts';

/** All places where frames of a segment's ports can be, and what was found on the way. */
export interface Closure {
  readonly facts: readonly Fact[];
  /** What the bridge lets in from each port that is there. */
  readonly entered: ReadonlyMap<ClaimedPort, readonly Frame[]>;
  readonly findings: Findings;
  /** Nodes whose state it depends on. */
  readonly nodes: ReadonlySet<string>;
}

/** Findings of one segment; the same one is kept once. */
export class Findings {
  readonly list: Finding[] = [];
  readonly #seen = new Set<string>();
  readonly #segment: SegmentIntent;

  constructor(segment: SegmentIntent) {
    this.#segment = segment;
  }

  add(
    kind: FindingKind,
    code: FindingCode,
    about: {
      readonly node: string;
      /** What makes it the same as another. */
      readonly key: string;
      readonly message: string;
      readonly from?: Endpoint | undefined;
      readonly to?: Endpoint | undefined;
      readonly path?: () => readonly Hop[];
    },
  ): void {
    const id = `${kind} ${code} ${about.node} ${about.key}`;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const { name, vni } = this.#segment;
    const { node, message, from, to } = about;
    this.list.push({
      kind,
      code,
      node,
      segment: { name, vni },
      message,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      path: about.path?.() ?? [],
    });
  }
}

/** The mark of a link's frames before any rule: what is in another namespace loses its own. */
function firstMark(link: LinkState): number | undefined {
  return link.kind === 'veth' && link.lower === undefined ? 0 : undefined;
}

export function closeSegment(fabric: FabricModel, segment: SegmentIntent): Closure {
  return new Closing(fabric, segment).run();
}

class Closing {
  readonly #fabric: FabricModel;
  readonly #segment: SegmentIntent;
  readonly #facts = new Map<string, Fact>();
  readonly #pending: Fact[] = [];
  readonly #entered = new Map<ClaimedPort, readonly Frame[]>();
  readonly #findings: Findings;
  readonly #nodes = new Set<string>();

  constructor(fabric: FabricModel, segment: SegmentIntent) {
    this.#fabric = fabric;
    this.#segment = segment;
    this.#findings = new Findings(segment);
  }

  run(): Closure {
    const ports = this.#fabric.index.segments.get(this.#segment.vni) ?? [];
    for (const port of ports) this.#start(port);
    // It grows while it is read; in this order the first path to a place is a shortest one.
    for (const fact of this.#pending) this.#step(fact);
    return {
      facts: [...this.#facts.values()],
      entered: this.#entered,
      findings: this.#findings,
      nodes: this.#nodes,
    };
  }

  #start(port: ClaimedPort): void {
    this.#nodes.add(port.intent.node);
    const node = this.#fabric.nodes.get(port.intent.node);
    const link = node?.links.get(port.device);
    if (node === undefined || link?.master === undefined || !link.up) return;
    const frames = node.enter(port.device, firstMark(link));
    this.#entered.set(port, frames);
    // What no rule takes out comes last, and says best why frames in general are let in.
    for (const frame of frames.toReversed()) {
      this.#add({ group: port.group, node, bridge: link.master, from: port.device }, frame, port);
    }
  }

  #add(
    place: Pick<Fact, 'group' | 'node' | 'bridge' | 'from'>,
    frame: Frame,
    source: ClaimedPort | Origin,
  ): void {
    const { group, node, bridge, from } = place;
    const local = 'intent' in source;
    const way = local ? node.classOf(from) : from;
    const key = `${group} ${node.name} ${bridge} ${local ? '*' : ''}${way} ${frame.mark ?? 'any'}`;
    const known = this.#facts.get(key);
    if (known !== undefined) {
      if (local && !known.ports.includes(source)) known.ports.push(source);
      return;
    }
    const fact: Fact = {
      ...place,
      ports: local ? [source] : [],
      mark: frame.mark,
      by: frame.by,
      origin: local ? undefined : source,
      reached: new Set(),
    };
    this.#facts.set(key, fact);
    this.#pending.push(fact);
  }

  #step(fact: Fact): void {
    const { node, bridge, from, mark } = fact;
    for (const link of node.members.get(bridge) ?? []) {
      if (!canLeave(fact, link)) continue;
      const passed = node.forward(from, link.name, mark);
      const port = this.#fabric.index.devices.get(node.name)?.get(link.name);
      if (port !== undefined) this.#deliver(fact, link, port, passed);
      else if (link.vxlan !== undefined) this.#send(fact, link, passed);
      else this.#stranger(fact, link, passed);
    }
    const [taken] = node.toHost(from, mark);
    if (taken !== undefined && node.links.get(bridge)?.up === true) {
      this.#findings.add('leak', 'host_reached', {
        node: node.name,
        key: `${fact.group} ${bridge}`,
        message: `frames of ${describeSource(fact)} reach node ${node.name} itself by ${bridge}`,
        from: sourceOf(fact),
        to: { node: node.name, device: bridge },
        path: () => [...pathTo(fact), hostHop(node, bridge, taken.by)],
      });
    }
  }

  #deliver(fact: Fact, link: LinkState, port: ClaimedPort, passed: readonly Frame[]): void {
    const { node } = fact;
    const source = rootOf(fact).ports.find((entry) => entry !== port);
    // A frame does not come back to the only port that sends such.
    if (source === undefined) return;
    const allowed = isAllowed(source, port);
    for (const frame of passed) {
      const leaves = node.leaves(link.name, frame.mark);
      if (allowed) {
        if (leaves) fact.reached.add(port);
        continue;
      }
      if (leaves) {
        const crossed = source.segment !== port.segment;
        this.#findings.add('leak', crossed ? 'segment_crossed' : 'port_reached', {
          node: node.name,
          key: `${source.group} ${port.device}`,
          message: `${describePort(source)} reaches ${describePort(port)}`,
          from: endpointOf(source),
          to: endpointOf(port),
          path: () => deliveryPath(fact, link, frame, port),
        });
      } else {
        this.#findings.add('degraded', 'rules_absent', {
          node: node.name,
          key: port.device,
          message: `only the filter of ${link.name} keeps ${describePort(source)} from ${describePort(port)}`,
          from: endpointOf(source),
          to: endpointOf(port),
          path: () => [...pathTo(fact), forwardHop(node, link.name, frame.mark, frame.by)],
        });
      }
    }
  }

  #stranger(fact: Fact, link: LinkState, passed: readonly Frame[]): void {
    const { node } = fact;
    const frame = passed.find((entry) => node.leaves(link.name, entry.mark));
    if (frame === undefined) return;
    const other = link.lower === undefined ? undefined : node.links.get(link.lower)?.master;
    const joined = other === undefined ? 'stranger_in_bridge' : 'bridges_joined';
    this.#findings.add('leak', joined, {
      node: node.name,
      key: link.name,
      message:
        `frames of ${describeSource(fact)} reach ${link.name} in ${fact.bridge}, which no port is` +
        (other === undefined ? '' : `; its other end is in ${other}`),
      from: sourceOf(fact),
      to: { node: node.name, device: link.name },
      path: () => [
        ...pathTo(fact),
        forwardHop(node, link.name, frame.mark, frame.by),
        filterHop(node, link.name, frame.mark),
      ],
    });
  }

  #send(fact: Fact, link: LinkState, passed: readonly Frame[]): void {
    const frames = passed.filter((frame) => fact.node.leaves(link.name, frame.mark));
    if (frames.length === 0) return;
    for (const entry of fact.node.destinations.get(link.name) ?? []) {
      for (const frame of frames) this.#transmit(fact, link, entry, frame);
    }
  }

  #transmit(fact: Fact, link: LinkState, entry: FdbEntry, frame: Frame): void {
    const { node } = fact;
    const vni = entry.vni ?? link.vxlan?.vni ?? entry.srcVni;
    const destination = entry.dst ?? `next-hop group ${entry.nexthopGroup}`;
    const port = entry.port ?? link.vxlan?.port ?? 0;
    if (vni === undefined) return;
    const toStranger = (why: string): void => {
      this.#findings.add('leak', 'frame_to_stranger', {
        node: node.name,
        key: `${link.name} ${destination}`,
        message: `frames of ${describeSource(fact)} go to ${destination}, ${why}`,
        from: sourceOf(fact),
        path: () => [
          ...pathTo(fact),
          forwardHop(node, link.name, frame.mark, frame.by),
          {
            node: node.name,
            at: 'vxlan',
            device: link.name,
            text: `is sent as VXLAN, VNI ${vni}, to ${destination}:${port}`,
          },
        ],
      });
    };
    const owner = this.#fabric.ownerOf(destination);
    if (owner === undefined) return toStranger('which no node of the fabric has');
    const way = protectionOf(node, link, { destination, segment: this.#segment });
    if (way.kind === 'dropped') return;
    if (way.kind === 'plaintext') {
      this.#findings.add('leak', 'plaintext_sent', {
        node: node.name,
        key: link.name,
        message: `frames of ${this.#segment.name} go from ${node.name} to ${owner.node} in the clear: ${way.why}`,
        from: sourceOf(fact),
        path: () => [...pathTo(fact), forwardHop(node, link.name, frame.mark, frame.by)],
      });
    } else if (way.kind === 'unbound') {
      this.#findings.add('degraded', 'device_unbound', {
        node: node.name,
        key: link.name,
        message: `${link.name} is not bound to ${way.device}: without that device frames of ${this.#segment.name} go in the clear`,
      });
    }
    if (way.kind !== 'plaintext' && !way.handshake) {
      this.#findings.add('note', 'no_handshake', {
        node: node.name,
        key: destination,
        message: `${node.name} has no keys yet for ${owner.node} (${destination}): nothing passes`,
      });
    }
    this.#nodes.add(owner.node);
    const receiver = this.#fabric.nodes.get(owner.node);
    if (receiver === undefined) {
      this.#findings.add('unproven', 'node_unobserved', {
        node: owner.node,
        key: '',
        message: `node ${owner.node} takes frames of ${this.#segment.name} and was not observed`,
      });
      return;
    }
    const gbp = link.vxlan?.gbp === true ? truncate(frame.mark) : 0;
    this.#arrive(receiver, {
      port,
      device: owner.device,
      source: link.vxlan?.local ?? '',
      protected: this.#segment.encryption.underlay === 'ipsec' && way.kind === 'as-asked',
      origin: { fact, device: link.name, vni, gbp, destination, sentBy: frame.by },
    });
  }

  #arrive(
    receiver: NodeModel,
    packet: {
      readonly port: number;
      readonly device: string;
      readonly source: string;
      readonly protected: boolean;
      readonly origin: Omit<Origin, 'acceptedBy'>;
    },
  ): void {
    const { port, origin } = packet;
    const { vni, gbp, fact } = origin;
    const [accepted] = receiver.accepts({ ...packet, vni });
    if (accepted === undefined) return;
    for (const link of receiver.receivers(port, vni)) {
      // A device without GBP drops what bears one (RFC 7348 has no such flag); it gives no mark.
      if (link.vxlan?.gbp !== true && gbp !== 0) continue;
      const from = link.name;
      if (link.master === undefined) {
        this.#findings.add('leak', 'stranger_vxlan', {
          node: receiver.name,
          key: from,
          message: `frames of ${describeSource(fact)} come out of ${from} on ${receiver.name}, which is in no bridge of a segment`,
          from: sourceOf(fact),
          to: { node: receiver.name, device: from },
          path: () => pathTo(fact),
        });
        continue;
      }
      for (const frame of receiver.enter(from, gbp)) {
        this.#add({ group: fact.group, node: receiver, bridge: link.master, from }, frame, {
          ...origin,
          acceptedBy: accepted.by,
        });
      }
    }
  }
}

/** VXLAN's group policy id has 16 bits of the mark's 32. */
function truncate(mark: number | undefined): number | undefined {
  return mark === undefined ? undefined : mark & 0xffff;
}

/** Out of the port that it came in by, or from isolated to isolated, a bridge sends nothing. */
function canLeave(fact: Fact, link: LinkState): boolean {
  const { node, from, ports } = fact;
  const sources = ports.length === 0 ? [from] : ports.map(({ device }) => device);
  return sources.some((device) => {
    if (device === link.name) return link.bridgePort?.hairpin === true;
    const isolated = node.links.get(device)?.bridgePort?.isolated === true;
    return !(isolated && link.bridgePort?.isolated === true);
  });
}

export function rootOf(fact: Fact): Fact {
  let root = fact;
  while (root.origin !== undefined) root = root.origin.fact;
  return root;
}

function sourceOf(fact: Fact): Endpoint | undefined {
  const [port] = rootOf(fact).ports;
  return port === undefined ? undefined : endpointOf(port);
}

function describeSource(fact: Fact): string {
  const [port] = rootOf(fact).ports;
  return port === undefined ? 'a port' : describePort(port);
}

function hostHop(node: NodeModel, bridge: string, by: Reason | undefined): Hop {
  return {
    node: node.name,
    at: 'host',
    device: bridge,
    text: 'is taken by the node itself',
    ...(by !== undefined && { by: `nft ${by.family} ${by.table} ${by.chain}` }),
  };
}

function deliveryPath(
  fact: Fact,
  link: LinkState,
  frame: Frame,
  port: ClaimedPort,
): readonly Hop[] {
  const { node } = fact;
  return [
    ...pathTo(fact),
    forwardHop(node, link.name, frame.mark, frame.by),
    filterHop(node, link.name, frame.mark),
    { node: node.name, at: 'port', device: link.name, text: `arrives at ${describePort(port)}` },
  ];
}
