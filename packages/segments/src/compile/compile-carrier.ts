import type { SegmentIntent } from '../intent/segment-intent.ts';
import { carrierName } from '../names/interface-names.ts';
import { emptyState } from '../state/empty-state.ts';
import type { LinkState, NodeState } from '../state/node-state.ts';
import { floodMac } from './segment-fdb.ts';
import { elementTables } from './element-tables.ts';
import { type CompileContext, guardElements, segmentPeers } from './segment-peers.ts';

/**
 * A segment of a node that carries very many: a VNI of the one VXLAN device and its flood list, 0.4
 * and 2 kB instead of two devices' 58 kB each. Its ports are not in the kernel's bridge but with
 * whoever reads the device's tunnel metadata.
 */
export function compileCarrierSegment(segment: SegmentIntent, context: CompileContext): NodeState {
  const { vni } = segment;
  const found = segmentPeers(segment, context);
  return {
    ...emptyState,
    vnis: [{ dev: carrierName, first: vni, last: vni }],
    fdb: found.peers.map(({ address }) => ({
      dev: carrierName,
      mac: floodMac,
      dst: address,
      srcVni: vni,
      self: true,
    })),
    nft: { tables: elementTables(guardElements(vni, found)) },
  };
}

export function carrierLink(options: {
  readonly mtu: number;
  readonly local: string;
  readonly port: number;
}): LinkState {
  return {
    name: carrierName,
    kind: 'vxlan',
    up: true,
    mtu: options.mtu,
    mac: '0a:00:00:00:00:00',
    vxlan: {
      local: options.local,
      port: options.port,
      learning: false,
      gbp: true,
      external: true,
      vnifilter: true,
    },
  };
}
