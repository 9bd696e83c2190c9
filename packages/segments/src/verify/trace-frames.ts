import type { LinkState } from '../state/node-state.ts';
import type { SegmentIntent } from '../intent/segment-intent.ts';
import { crosses } from './bridge-port.ts';
import type { ClaimedPort } from './claim-index.ts';
import type { FabricModel } from './fabric-model.ts';
import { type Field, fieldOf, type Frame } from './frame.ts';
import type { NodeModel } from './node-model.ts';
import { protectionOf } from './underlay-protection.ts';

/** Frames by the port at whose workload they arrive. */
export type Arrivals = ReadonlyMap<ClaimedPort, readonly Frame[]>;

/** A kernel sends a frame that came by VXLAN out by VXLAN again only where somebody chained devices. */
const mostHops = 4;

/** Follows frames of which all that matters is known, one by one, through what nodes were observed to do. */
export class FrameTracer {
  readonly #fabric: FabricModel;
  readonly #segment: SegmentIntent;
  readonly #unguarded: boolean;
  #endless = false;
  readonly #ways = new Map<string, readonly Way[]>();

  /** `unguarded` is as if the underlay kept nothing back. */
  constructor(
    fabric: FabricModel,
    segment: SegmentIntent,
    options: { readonly unguarded: boolean } = { unguarded: false },
  ) {
    this.#fabric = fabric;
    this.#segment = segment;
    this.#unguarded = options.unguarded;
  }

  /** Ports that any of the frames reach, whomever they are for; undefined where that has no end. */
  reached(node: NodeModel, device: string, frames: readonly Frame[]): Arrivals | undefined {
    this.#endless = false;
    const sent: SentFrames = {
      frames,
      known: undefined,
      asks: undefined,
      mac: undefined,
      everywhere: true,
    };
    const arrivals = this.trace(node, device, sent);
    return this.#endless ? undefined : arrivals;
  }

  /** Where frames that a node let in by a device come out. */
  trace(node: NodeModel, device: string, sent: SentFrames): Arrivals {
    const arrivals = new Map<ClaimedPort, Frame[]>();
    const link = node.links.get(device);
    if (link === undefined) return arrivals;
    const untagged = node.vlans.untagged(link);
    const own = untagged === undefined ? [] : [untagged];
    for (const vlan of sent.everywhere === true ? node.vlans.of(link) : own) {
      this.#bridge(node, link, { ...sent, vlan, hops: 0, arrivals });
    }
    return arrivals;
  }

  #bridge(
    node: NodeModel,
    from: LinkState,
    sent: SentFrames & {
      readonly vlan: number;
      readonly hops: number;
      readonly arrivals: Map<ClaimedPort, Frame[]>;
    },
  ): void {
    if (from.master === undefined || sent.frames.length === 0) return;
    const { vlan } = sent;
    const claimed = this.#fabric.index.devices.get(node.name);
    for (const link of node.outputs(from.master, vlan, sent.mac)) {
      if (!crosses(from, link)) continue;
      const passed = sent.frames
        .flatMap((frame) => node.carry(from.name, link.name, frame))
        .filter((frame) => node.leaves(link.name, frame.mark));
      if (passed.length === 0) continue;
      const port = claimed?.get(link.name);
      if (port !== undefined) {
        // No workload looks into a tag.
        if (sent.everywhere !== true && !node.vlans.leavesUntagged(link, vlan)) continue;
        const known = sent.arrivals.get(port);
        if (known === undefined) sent.arrivals.set(port, passed);
        else known.push(...passed);
      } else if (link.vxlan !== undefined) {
        if (sent.hops >= mostHops) {
          this.#endless = true;
          continue;
        }
        for (const way of this.#waysOf(node, link, sent)) {
          const entered = passed.flatMap((frame) => enter(way, frame, sent));
          for (const [at, frames] of Map.groupBy(entered, (entry) => entry.vlan)) {
            this.#bridge(way.node, way.device, {
              ...sent,
              frames: frames.map(({ frame }) => frame),
              vlan: at,
              hops: sent.hops + 1,
            });
          }
        }
      }
    }
  }

  /** The devices of other nodes at which a VXLAN device's packets for a MAC come out. */
  #waysOf(
    node: NodeModel,
    link: LinkState,
    { mac, everywhere, vlan }: SentFrames & { readonly vlan: number },
  ): readonly Way[] {
    const key = `${node.name} ${link.name} ${vlan} ${everywhere === true ? 'any' : (mac ?? '*')}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    const entries = everywhere === true ? node.targets(link, vlan) : node.remotes(link, vlan, mac);
    const ways = entries.flatMap((entry): readonly Way[] => {
      const { dst: destination = '', via } = entry;
      const vni = entry.vni ?? node.vniOf(link, vlan);
      const port = entry.port ?? link.vxlan?.port ?? 0;
      const owner = this.#fabric.ownerOf(destination);
      const receiver = owner && this.#fabric.node(owner.node);
      const about = { destination, segment: this.#segment, via };
      const protection = protectionOf(node.state, link, about);
      if (owner === undefined || receiver === undefined || vni === undefined) return [];
      if (protection.kind === 'dropped' && !this.#unguarded) return [];
      const accepted = receiver.accepts({
        device: owner.device,
        source: link.vxlan?.local ?? '',
        port,
        vni,
        protected: this.#segment.encryption.underlay === 'ipsec' && protection.kind === 'as-asked',
      });
      if (accepted.length === 0 && !this.#unguarded) return [];
      const gbp = link.vxlan?.gbp === true;
      return receiver.receivers(port, vni).map((device) => ({
        node: receiver,
        device,
        vni,
        gbp,
        takes: device.vxlan?.gbp === true,
      }));
    });
    this.#ways.set(key, ways);
    return ways;
  }
}

/** What comes in at another node of a frame that its sender says all of, but whom it asks for. */
function enter(
  { node, device, vni, gbp, takes }: Way,
  frame: Frame,
  sent: SentFrames,
): readonly { readonly vlan: number; readonly frame: Frame }[] {
  const group = gbp ? frame.mark && frame.mark & 0xffff : 0;
  if (!takes && group !== 0) return [];
  const arrivals = node.arrivalsAt(device, vni, group);
  // What truthful frames bring is no tag of their own.
  const untagged = arrivals.filter(({ vlan }) => vlan === node.vlans.vlanOf(device, vni));
  const own = sent.everywhere === true ? arrivals : untagged.slice(0, 1);
  return own.flatMap(({ vlan, mark }) =>
    enterAt(node, device.name, { frame, mark, sent }).map((entry) => ({ vlan, frame: entry })),
  );
}

function enterAt(
  node: NodeModel,
  device: string,
  {
    frame,
    mark: group,
    sent: { known, asks, everywhere },
  }: { readonly frame: Frame; readonly mark: number | undefined; readonly sent: SentFrames },
): readonly Frame[] {
  if (everywhere === true) return node.enter(device, group, frame.fields);
  const frames = node.enterKnown(device, group, known);
  const asked = asks === undefined ? undefined : fieldOf(frame, asks);
  if (asked === undefined) return frames;
  if (frames.some((entry) => fieldOf(entry, asked.key) !== undefined)) {
    return node.enter(device, group, { ...asked, next: known });
  }
  return frames.map((entry) => ({ ...entry, fields: { ...asked, next: entry.fields } }));
}

/** Frames of one kind, on their way. */
export interface SentFrames {
  readonly frames: readonly Frame[];
  /** What their sender says in all of them. */
  readonly known: Field | undefined;
  /** The field that names whom they ask for, which is each of those that are asked for. */
  readonly asks: string | undefined;
  /** Whom they are for, else all. */
  readonly mac: string | undefined;
  /** For whoever it be: by every way that there is for some MAC. */
  readonly everywhere?: true;
}

interface Way {
  readonly node: NodeModel;
  readonly device: LinkState;
  readonly vni: number;
  /** Whether the sender says a group, and whether the receiver takes one. */
  readonly gbp: boolean;
  readonly takes: boolean;
}
