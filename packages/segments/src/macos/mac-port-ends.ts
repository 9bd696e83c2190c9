import { portEnd } from '../compile/segment-links.ts';
import type { SegmentIntent } from '../intent/segment-intent.ts';
import { portName } from '../names/interface-names.ts';
import { portMac } from '../names/port-mac.ts';
import type { PortEnd } from '../state/node-state.ts';

/** Ports of a segment that are the Mac's own: those of virtual machines need no device of it. */
export function macPortEnds(segment: SegmentIntent, node: string): readonly PortEnd[] {
  return segment.ports
    .filter((port) => port.node === node && port.attach.kind === 'host')
    .map((intent) => {
      const { vni } = segment;
      return portEnd(
        { name: portName(vni, intent), mac: portMac(vni, intent.index), intent },
        segment,
      );
    });
}
