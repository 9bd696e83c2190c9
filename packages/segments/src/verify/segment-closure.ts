import type { FdbEntry, LinkState } from '../state/node-state.ts';
import type { SegmentIntent } from '../intent/segment-intent.ts';
import { type ClaimedPort, isAllowed } from './claim-index.ts';
import {
  deliveryPath,
  describePort,
  endpointOf,
  filterHop,
  forwardHop,
  hostHop,
  pathTo,
} from './describe-path.ts';
import type { FabricModel } from './fabric-model.ts';
import type { Fact, Origin } from './fact.ts';
import { describeSource, rootOf, sourceOf } from './fact-source.ts';
import { Findings } from './findings.ts';
import type { Frame } from './frame.ts';
import { crosses } from './bridge-port.ts';
import type { NodeModel } from './node-model.ts';
import { type Arrivals, FrameTracer } from './trace-frames.ts';
import { protectionOf } from './underlay-protection.ts';

/** All places where frames of a segment's ports can be, and what was found on the way. */
export interface Closure {
  readonly segment: SegmentIntent;
  readonly facts: readonly Fact[];
  /** What the bridge lets in from each port that is there. */
  readonly entered: ReadonlyMap<ClaimedPort, readonly Frame[]>;
  readonly findings: Findings;
  /** Nodes whose state it depends on. */
  readonly nodes: ReadonlySet<string>;
  /** Whether something is kept back on the underlay. */
  readonly held: boolean;
  /** Whether a step leads where it must not, but for frames that no port can send. */
  readonly refuted: boolean;
}

/** The mark of a link's frames before any rule: what is in another namespace loses its own. */
export function firstMark(link: LinkState): number | undefined {
  return link.kind === 'veth' && link.lower === undefined ? 0 : undefined;
}

/** `unguarded` is as if the underlay kept nothing back: neither its rules nor encryption's peers. */
export function closeSegment(
  fabric: FabricModel,
  segment: SegmentIntent,
  options: { readonly unguarded: boolean } = { unguarded: false },
): Closure {
  return new Closing(fabric, segment, options.unguarded).run();
}

class Closing {
  readonly #fabric: FabricModel;
  readonly #segment: SegmentIntent;
  readonly #facts = new Map<string, Fact>();
  readonly #pending: Fact[] = [];
  readonly #entered = new Map<ClaimedPort, readonly Frame[]>();
  readonly #findings: Findings;
  readonly #nodes = new Set<string>();
  readonly #unguarded: boolean;
  #held = false;
  #refuted = false;
  readonly #tracer: FrameTracer;
  readonly #arrivals = new Map<ClaimedPort, Arrivals | undefined>();

  constructor(fabric: FabricModel, segment: SegmentIntent, unguarded: boolean) {
    this.#fabric = fabric;
    this.#unguarded = unguarded;
    this.#tracer = new FrameTracer(fabric, segment, { unguarded });
    this.#segment = segment;
    this.#findings = new Findings(segment);
  }

  run(): Closure {
    const ports = this.#fabric.index.segments.get(this.#segment.vni) ?? [];
    for (const port of ports) this.#start(port);
    // It grows while it is read; in this order the first path to a place is a shortest one.
    for (const fact of this.#pending) this.#step(fact);
    return {
      segment: this.#segment,
      facts: [...this.#facts.values()],
      entered: this.#entered,
      findings: this.#findings,
      nodes: this.#nodes,
      held: this.#held,
      refuted: this.#refuted,
    };
  }

  #start(port: ClaimedPort): void {
    this.#nodes.add(port.intent.node);
    const node = this.#fabric.node(port.intent.node);
    const link = node?.links.get(port.device);
    if (node === undefined || link?.master === undefined || !link.up) return;
    const vlans = node.vlans.of(link);
    if (vlans.length === 0) return;
    const frames = node.enter(port.device, firstMark(link));
    this.#entered.set(port, frames);
    const place = { group: port.group, node, bridge: link.master, from: port.device };
    // What no rule takes out comes last, and says best why frames in general are let in.
    for (const frame of frames.toReversed()) {
      for (const vlan of vlans) this.#add({ ...place, vlan }, frame, port);
    }
  }

  #add(
    place: Pick<Fact, 'group' | 'node' | 'bridge' | 'vlan' | 'from'>,
    frame: Frame,
    source: ClaimedPort | Origin,
  ): void {
    const { group, node, bridge, vlan, from } = place;
    const local = 'intent' in source;
    const way = local ? node.classOf(from) : from;
    const where = `${node.name} ${bridge} ${vlan}`;
    const key = `${group} ${where} ${local ? '*' : ''}${way} ${frame.mark ?? 'any'}`;
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
    const { node, bridge, vlan, from, mark } = fact;
    for (const link of node.vlans.members(bridge, vlan)) {
      const senders = sendersTo(fact, link);
      if (senders === undefined) continue;
      const passed = node.forward(from, link.name, mark);
      const port = this.#fabric.index.devices.get(node.name)?.get(link.name);
      if (port !== undefined) this.#deliver(fact, link, { port, passed, senders });
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

  #deliver(
    fact: Fact,
    link: LinkState,
    {
      port,
      passed,
      senders,
    }: {
      readonly port: ClaimedPort;
      readonly passed: readonly Frame[];
      readonly senders: readonly ClaimedPort[];
    },
  ): void {
    const { node } = fact;
    const source =
      senders.find((entry) => entry !== port) ??
      (fact.origin === undefined ? undefined : this.#other(fact.group, port));
    // A frame may come back to the only port that sends such.
    if (source === undefined) return;
    const allowed = isAllowed(source, port);
    for (const frame of passed) {
      const leaves = node.leaves(link.name, frame.mark);
      if (allowed) {
        if (leaves) fact.reached.add(port);
        continue;
      }
      const real = leaves && fact.origin !== undefined ? this.#really(fact.group, port) : source;
      if (leaves && real === undefined) {
        this.#refuted = true;
        this.#findings.add('degraded', 'rules_absent', {
          node: node.name,
          key: `mac ${port.device}`,
          message: `only MACs that ${node.name} does not let in keep ${describePort(source)} from ${describePort(port)}`,
          from: endpointOf(source),
          to: endpointOf(port),
          path: () => deliveryPath(fact, link, frame, port),
        });
      } else if (leaves && real !== undefined) {
        const crossed = real.segment !== port.segment;
        this.#findings.add('leak', crossed ? 'segment_crossed' : 'port_reached', {
          node: node.name,
          key: `${real.group} ${port.device}`,
          message: `${describePort(real)} reaches ${describePort(port)}`,
          from: endpointOf(real),
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

  /**
   * A port of a group whose own frames really reach another. A place says nothing of MACs, so that what
   * a node lets in of one port of another node is there for all of its group.
   */
  #really(group: number, port: ClaimedPort): ClaimedPort | undefined {
    const ports = this.#fabric.index.segments.get(this.#segment.vni) ?? [];
    return ports.find((from) => {
      const frames = this.#entered.get(from);
      const node = this.#fabric.node(from.intent.node);
      if (from.group !== group || from === port || frames === undefined || !node) return false;
      if (!this.#arrivals.has(from)) {
        this.#arrivals.set(from, this.#tracer.reached(node, from.device, frames));
      }
      const arrivals = this.#arrivals.get(from);
      return arrivals === undefined || arrivals.has(port);
    });
  }

  /** Another port of a group: what came by an overlay may have come from any of its nodes. */
  #other(group: number, port: ClaimedPort): ClaimedPort | undefined {
    const ports = this.#fabric.index.segments.get(this.#segment.vni) ?? [];
    return ports.find((entry) => entry.group === group && entry !== port);
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
    for (const entry of fact.node.targets(link, fact.vlan)) {
      for (const frame of frames) this.#transmit(fact, link, entry, frame);
    }
  }

  #transmit(fact: Fact, link: LinkState, entry: FdbEntry, frame: Frame): void {
    const { node } = fact;
    const vni = entry.vni ?? node.vniOf(link, fact.vlan);
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
    const { via } = entry;
    const way = protectionOf(node.state, link, { destination, segment: this.#segment, via });
    if (way.kind === 'dropped') {
      this.#held = true;
      if (!this.#unguarded) return;
    }
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
        message: `an entry of ${link.name} is not bound to ${way.device}: by another route frames of ${this.#segment.name} go in the clear`,
      });
    }
    if ('handshake' in way && !way.handshake) {
      this.#findings.add('note', 'no_handshake', {
        node: node.name,
        key: destination,
        message: `${node.name} has no keys yet for ${owner.node} (${destination}): nothing passes`,
      });
    }
    this.#nodes.add(owner.node);
    const receiver = this.#fabric.node(owner.node);
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
    if (accepted === undefined) {
      this.#held = true;
      if (!this.#unguarded) return;
    }
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
      const place = { group: fact.group, node: receiver, bridge: link.master, from };
      const source = { ...origin, acceptedBy: accepted?.by };
      for (const { vlan, mark } of receiver.arrivalsAt(link, vni, gbp)) {
        for (const frame of receiver.enter(from, mark))
          this.#add({ ...place, vlan }, frame, source);
      }
    }
  }
}

/** VXLAN's group policy id has 16 bits of the mark's 32. */
function truncate(mark: number | undefined): number | undefined {
  return mark === undefined ? undefined : mark & 0xffff;
}

/** The ports whose frames can go on to an interface; undefined where none can. */
function sendersTo(fact: Fact, link: LinkState): readonly ClaimedPort[] | undefined {
  const { links } = fact.node;
  if (fact.ports.length === 0) {
    const from = links.get(fact.from);
    return from !== undefined && crosses(from, link) ? rootOf(fact).ports : undefined;
  }
  const senders = fact.ports.filter(({ device }) => {
    const from = links.get(device);
    return from !== undefined && crosses(from, link);
  });
  return senders.length === 0 ? undefined : senders;
}
