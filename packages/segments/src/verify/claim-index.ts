import { mayReach } from '../intent/port-role.ts';
import type { FabricIntent, PortIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { groupId } from '../names/group-id.ts';
import { portName } from '../names/interface-names.ts';
import { portMac } from '../names/port-mac.ts';

/** A port of the claim by what the kernel knows of it: its interface, its MAC, its group. */
export interface ClaimedPort {
  readonly segment: SegmentIntent;
  readonly intent: PortIntent;
  /** Its place among the segment's ports. */
  readonly ordinal: number;
  readonly device: string;
  readonly mac: string;
  readonly group: number;
}

/** The claim, by what is looked up in it. */
export interface ClaimIndex {
  readonly claim: FabricIntent;
  readonly segments: ReadonlyMap<number, readonly ClaimedPort[]>;
  /** By node and interface. */
  readonly devices: ReadonlyMap<string, ReadonlyMap<string, ClaimedPort>>;
  /** The node that the claim says has an address. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Throws `community_unknown`. */
export function indexClaim(claim: FabricIntent): ClaimIndex {
  const devices = new Map<string, Map<string, ClaimedPort>>();
  const segments = new Map<number, ClaimedPort[]>();
  for (const segment of claim.segments) {
    const ports = segment.ports.map((intent, ordinal): ClaimedPort => ({
      segment,
      intent,
      ordinal,
      device: portName(segment.vni, intent),
      mac: portMac(segment.vni, intent.index),
      group: groupId(intent.role, segment.communities),
    }));
    segments.set(segment.vni, ports);
    for (const port of ports) {
      const known = devices.get(port.intent.node);
      if (known === undefined) devices.set(port.intent.node, new Map([[port.device, port]]));
      else known.set(port.device, port);
    }
  }
  const addresses = new Map(
    claim.nodes.flatMap(({ name, vtep, underlay, link }) =>
      [vtep, underlay, ...(link === undefined ? [] : [link.address])].map(
        (address) => [address, name] as const,
      ),
    ),
  );
  return { claim, segments, devices, addresses };
}

/** Whether the policy lets frames of a port reach another; a port of another segment never. */
export function isAllowed(from: ClaimedPort, to: ClaimedPort): boolean {
  return from.segment === to.segment && mayReach(from.intent.role, to.intent.role);
}
