import { bridgeName } from '../names/interface-names.ts';
import type { FdbEntry, Neighbour } from '../state/node-state.ts';
import type { SegmentPath } from '../encryption/segment-path.ts';
import { lowerOf } from './segment-links.ts';
import type { SegmentView } from './segment-view.ts';

/** Where to flood: the MAC of zeros in a VXLAN device. */
export const floodMac = '00:00:00:00:00:00';

/** Every MAC by hand, as nothing is learned; broadcast goes to the nodes that have ports, only. */
export function segmentFdb(view: SegmentView): readonly FdbEntry[] {
  const dev = view.vxlan;
  const way = wayOut(view.path);
  return [
    ...view.local.map((port) => ({ dev: port.name, mac: port.mac, self: false })),
    ...view.peers.map((peer) => ({ dev, mac: floodMac, dst: peer.address, ...way, self: true })),
    ...view.remote.flatMap((port) => [
      { dev, mac: port.mac, self: false },
      { dev, mac: port.mac, dst: view.addressOf(port), ...way, self: true },
    ]),
  ];
}

/**
 * The device that encrypts, for each entry: that of the VXLAN device decides when it vanishes, and not
 * by which way its packets go, which without this are routed as all others are.
 */
export function wayOut(path: SegmentPath): Pick<FdbEntry, 'via'> {
  const { lower } = lowerOf(path);
  return lower === undefined ? {} : { via: lower };
}

/**
 * What the bridge answers ARP requests from. IPv6 is flooded instead: the bridge sends a neighbour
 * advertisement past all hooks (br_nd_send), unmarked, so no port's filter would let it out.
 */
export function segmentNeighbours(view: SegmentView): readonly Neighbour[] {
  if (!view.answers) return [];
  const dev = bridgeName(view.segment.vni);
  return view.remote.flatMap((port) =>
    port.addresses4.map((address) => ({ dev, address, mac: port.mac })),
  );
}
