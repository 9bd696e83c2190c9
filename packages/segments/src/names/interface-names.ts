import type { SegmentPath } from '../encryption/segment-path.ts';
import type { PortIntent } from '../intent/segment-intent.ts';

/** Linux takes 15 characters (IFNAMSIZ); all names derive from a segment's record. */
export function bridgeName(vni: number): string {
  return `tb${vni}`;
}

export function vxlanName(vni: number): string {
  return `tv${vni}`;
}

/**
 * The node's end of a port, at most 15 characters: VNI, index and incarnation to the base 36. The
 * incarnation is there so that rules for an earlier one match nothing.
 */
export function portName(vni: number, port: Pick<PortIntent, 'index' | 'incarnation'>): string {
  const incarnation = port.incarnation % 36 ** 2;
  return `tp${vni.toString(36)}.${port.index.toString(36)}.${incarnation.toString(36)}`;
}

/** The segment of a port's name; undefined where it is no port's. */
export function vniOfPort(name: string): number | undefined {
  const [, digits] = /^tp([0-9a-z]{1,5})\.[0-9a-z]{1,4}\.[0-9a-z]{1,2}$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 36);
}

/** The workload's end of a port, in the node or in a namespace. */
export function portEndName(vni: number, port: Pick<PortIntent, 'index' | 'incarnation'>): string {
  return `te${portName(vni, port).slice(2)}`;
}

/** The WireGuard device that carries VXLAN of segments which ask for it. */
export const wireguardName = 'tw0';

/** The MACsec device that carries segments which ask for an encrypted link. */
export const macsecName = 'tm0';

/** The one VXLAN device of a node that carries very many VNIs (`external vnifilter`). */
export const carrierName = 'tv0000';

/** The one bridge of a node whose segments are its VLANs. */
export const vlanBridgeName = 'tb0000';

/** The VXLAN device of such a node for each way to other nodes: they have different addresses. */
export function vlanTunnelName(path: SegmentPath): string {
  switch (path) {
    case 'underlay':
      return carrierName;
    case 'inside':
      return 'tv0001';
    case 'link':
      return 'tv0002';
  }
}

/** What rules know them by; a segment's own device has no zeros in front. */
export const vlanTunnelPattern = 'tv000*';

export function isPortEnd(name: string): boolean {
  return /^te[0-9a-z]{1,5}\.[0-9a-z]{1,4}\.[0-9a-z]{1,2}$/.test(name);
}

/** Whether an interface is one of a segment's: what no rule names must not be open either. */
export function isSegmentInterface(name: string): boolean {
  return /^t[bv][0-9]{4,8}$|^tp[0-9a-z]{1,5}\.[0-9a-z]{1,4}\.[0-9a-z]{1,2}$/.test(name);
}
