import { isTaplineError } from '@tapline/base';
import type { Device, Node, SegmentSpec } from '@tapline/resources';
import { type NodeIntent, parseIpAddress } from '@tapline/segments';

/** Whether a node can carry a segment; where it cannot, nothing is sent in its place. */
export type NodeFitness =
  | { readonly kind: 'fit'; readonly intent: NodeIntent; readonly underlayMtu: number }
  /** It has not said all that is needed yet. */
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'unfit'; readonly code: string; readonly why: string };

/** What every segment takes, with what a node calls it. */
const always = [
  ['bridge', 'bridges'],
  ['vxlan-gbp', 'VXLAN with group policy ids'],
  ['nftables', 'nftables for bridges'],
  ['cls-bpf', 'filters at ports (cls_bpf)'],
] as const;

const defaultMtu = 1500;

export function nodeFitness(
  device: Device,
  node: Node | undefined,
  wanted: {
    readonly encryption: NonNullable<SegmentSpec['encryption']>;
    readonly vni: number;
    readonly vxlanPort: number;
    readonly vtep: string | undefined;
  },
): NodeFitness {
  const { name } = device.metadata;
  const { encryption, vni, vxlanPort, vtep } = wanted;
  const status = node?.status;
  const underlay = node?.spec.underlay ?? status?.underlay?.address;
  const capabilities = status?.capabilities;
  if (underlay === undefined || capabilities === undefined) {
    return unknown(`node ${name} has not said what it can do`);
  }
  if (vtep === undefined) return unknown(`node ${name} has no VTEP yet`);
  const needed = [
    // A switch in user space takes nothing of the kernel but TAP.
    ...(status?.datapath === 'user-space' ? [] : always),
    ...(encryption.underlay === 'ipsec' ? ([['ipsec', 'IPsec']] as const) : []),
  ];
  const lacking = needed.filter(([capability]) => !capabilities.includes(capability));
  const hasWireguard = capabilities.some((one) => one.startsWith('wireguard'));
  const hasMacsec = capabilities.some((one) => one.startsWith('macsec'));
  const words = [
    ...lacking.map(([, called]) => called),
    ...(encryption.underlay === 'wireguard' && !hasWireguard ? ['WireGuard'] : []),
    ...(encryption.link === 'macsec' && !hasMacsec ? ['MACsec'] : []),
  ];
  if (words.length > 0) {
    return {
      kind: 'unfit',
      code: 'module_missing',
      why: `node ${name} has no ${words.join(', no ')}`,
    };
  }
  const foreign = status?.foreign?.vnis.find((one) => one.vni === vni && one.port === vxlanPort);
  if (foreign !== undefined) {
    return {
      kind: 'unfit',
      code: 'vni_taken',
      why: `VNI ${vni} is taken on node ${name} by ${foreign.device}, which is not Tapline's`,
    };
  }
  const { wireguardKey, keys } = status ?? {};
  const asksForKeys = encryption.underlay === 'ipsec' || encryption.link === 'macsec';
  if (asksForKeys && keys === undefined) {
    return unknown(`node ${name} has not made the key that others are agreed on with`);
  }
  const link = encryption.link === 'macsec' ? linkOf(node) : undefined;
  if (typeof link === 'string') return { kind: 'unfit', code: 'link_missing', why: link };
  if (encryption.underlay === 'wireguard' && wireguardKey === undefined) {
    return unknown(`node ${name} has not made its WireGuard key`);
  }
  return {
    kind: 'fit',
    intent: {
      name,
      vtep,
      underlay,
      ...(wireguardKey === undefined ? {} : { wireguardKey }),
      ...(link === undefined ? {} : { link: link.intent }),
    },
    underlayMtu: link?.mtu ?? status?.underlay?.mtu ?? defaultMtu,
  };
}

/** The node's place on the encrypted link, or why it has none. */
function linkOf(
  node: Node | undefined,
): { readonly intent: NonNullable<NodeIntent['link']>; readonly mtu: number } | string {
  const { spec, status, metadata } = node ?? {};
  const name = metadata?.name ?? '';
  if (spec?.link === undefined) {
    return `node ${name} has no link for MACsec; name an interface in spec.link of its Node`;
  }
  const { interface: dev, address } = spec.link;
  const [host = '', length = ''] = address.split('/');
  if (!isAddress(host) || !/^\d{1,3}$/.test(length)) {
    return `spec.link.address ${address} of node ${name} is no address with a prefix length`;
  }
  if (status?.link?.interface !== dev) return `node ${name} has no interface ${dev}`;
  const { mac, mtu } = status.link;
  return {
    intent: { interface: dev, address: host, prefixLength: Number(length), mac },
    mtu,
  };
}

function isAddress(text: string): boolean {
  try {
    parseIpAddress(text);
    return true;
  } catch (error) {
    if (isTaplineError(error)) return false;
    throw error;
  }
}

function unknown(why: string): NodeFitness {
  return { kind: 'unknown', why };
}
