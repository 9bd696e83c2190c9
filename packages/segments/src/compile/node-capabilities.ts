/** What a node's kernel and programs can do, as the probe found it; nothing is assumed. */
export interface NodeCapabilities {
  /** MTU of the device that carries the underlay's address. */
  readonly underlayMtu: number;
  /** MTU of the link below an encrypted one, where the node has such a link. */
  readonly linkMtu?: number;
  readonly bridge: boolean;
  /** VXLAN with group policy ids. */
  readonly vxlanGbp: boolean;
  /** `external vnifilter`: many VNIs on one device. */
  readonly vnifilter: boolean;
  readonly vlanFiltering: boolean;
  /** nftables' families bridge and inet. */
  readonly nftables: boolean;
  /** nftables' family arp: without it neighbours are not answered for, requests are flooded. */
  readonly nftablesArp: boolean;
  /** Classic BPF at the egress of ports. */
  readonly clsBpf: boolean;
  readonly wireguard: 'kernel' | 'user-space' | 'none';
  readonly ipsec: boolean;
  readonly macsec: 'kernel' | 'user-space' | 'none';
}
