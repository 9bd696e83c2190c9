import type { KeyReference } from '../encryption/key-reference.ts';
import type { NftRuleset } from './nft-ruleset.ts';

/**
 * What a node's kernel has, or is to have: the same shape for both, so that a plan is the difference
 * of two states and the verifier reads what the planner wrote. Field names are those of `ip -j`,
 * `bridge -j`, `tc -j` and `nft -j`. Nothing secret is in it: keys of ESP, MACsec and WireGuard are
 * left out by whoever reads them.
 */
export interface NodeState {
  readonly links: readonly LinkState[];
  readonly fdb: readonly FdbEntry[];
  readonly neighbours: readonly Neighbour[];
  /** Filters on the way out of an interface, see {@link EgressFilter}. */
  readonly egress: readonly EgressFilter[];
  /** All other filters of tc: a node that only Tapline configures has none. */
  readonly foreignFilters: readonly ForeignFilter[];
  /** Filters where the underlay's packets come in, see {@link UnderlayGuard}. */
  readonly guards?: readonly UnderlayGuard[];
  /** Devices with a place for filters (`clsact` or `ingress`). Only of what was found. */
  readonly hooks?: readonly string[];
  readonly nft: NftRuleset;
  readonly addresses: readonly LinkAddress[];
  readonly vnis: readonly VniRange[];
  readonly vlans: readonly VlanTunnel[];
  /** VLANs of bridges' ports; absent where no bridge has VLANs. */
  readonly portVlans?: readonly PortVlan[];
  /** What frames of other nodes are marked with, see {@link ArrivalMark}; absent where there are none. */
  readonly arrivals?: readonly ArrivalMark[];
  readonly xfrm: XfrmState;
  readonly wireguard: readonly WireguardState[];
  readonly macsec: readonly MacsecState[];
  /** Routes of `tw0` only: to the VTEPs behind it. */
  readonly routes?: readonly RouteState[];
  /** The workloads' ends of ports. Only of what is to be: they are in namespaces of others. */
  readonly ends?: readonly PortEnd[];
}

/** `ip -j route`. */
export interface RouteState {
  readonly dev: string;
  /** An address, without prefix length. */
  readonly destination: string;
}

/** The other end of a port's veth: what a workload gets. */
export interface PortEnd {
  /** The node's end. */
  readonly port: string;
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly string[];
  readonly prefixLengths: readonly number[];
  readonly place: { readonly kind: 'host' } | { readonly kind: 'namespace'; readonly path: string };
}

/** `ip -j -d link` and `bridge -j -d link`. */
export interface LinkState {
  readonly name: string;
  /** `veth`, `bridge`, `vxlan`, `wireguard`, `macsec`, `tun`, … or '' for hardware. */
  readonly kind: string;
  readonly up: boolean;
  /** Whether the other end is up, too: a port's workload has its end. */
  readonly carrier?: boolean;
  readonly mtu: number;
  readonly mac: string;
  readonly master?: string;
  /**
   * The device that this one is bound to or stands on: `tw0` of a VXLAN inside WireGuard, the parent
   * of a macvlan or MACsec device, a veth's other end in the same namespace.
   */
  readonly lower?: string;
  readonly bridge?: {
    readonly vlanFiltering: boolean;
    readonly defaultPvid: number;
    readonly mcastSnooping: boolean;
  };
  readonly vxlan?: {
    /** Absent for an `external` device. */
    readonly vni?: number;
    readonly local: string;
    readonly port: number;
    readonly learning: boolean;
    readonly gbp: boolean;
    readonly external: boolean;
    readonly vnifilter: boolean;
  };
  readonly bridgePort?: {
    readonly isolated: boolean;
    readonly neighSuppress: boolean;
    readonly learning: boolean;
    readonly flood: boolean;
    readonly vlanTunnel: boolean;
    readonly hairpin: boolean;
  };
}

/** `bridge -j fdb`; `dst` is a peer's VTEP, the MAC of zeros where to flood. */
export interface FdbEntry {
  readonly dev: string;
  readonly mac: string;
  readonly dst?: string;
  readonly srcVni?: number;
  readonly vlan?: number;
  readonly self: boolean;
  /** `permanent` in a bridge: frames to it go to the node itself, not to the device. */
  readonly local?: true;
  /** Learned from a frame, so not from a plan. */
  readonly learned?: true;
  /** Where VXLAN goes when it is not the device's own VNI, port or route. */
  readonly vni?: number;
  readonly port?: number;
  readonly via?: string;
  readonly nexthopGroup?: number;
}

/** `ip -j neigh`, permanent ones. */
export interface Neighbour {
  readonly dev: string;
  readonly address: string;
  readonly mac: string;
}

/** `ip -j address`. */
export interface LinkAddress {
  readonly dev: string;
  readonly address: string;
  readonly prefixLength: number;
}

/**
 * A classic BPF program in direct-action mode at a port's egress: only frames with one of these
 * marks leave. It needs no rule of nftables, so a table that was flushed opens nothing.
 */
export interface EgressFilter {
  readonly dev: string;
  /** tc's `pref`: lower ones decide first. */
  readonly preference: number;
  readonly program: readonly BpfInstruction[];
}

/**
 * A classic BPF program in direct-action mode at the ingress of the device with the underlay's
 * address: VXLAN packets of encrypted segments never come in there. It needs no rule of nftables.
 */
export interface UnderlayGuard extends EgressFilter {
  /** What the program is made of. Only of what is to be. */
  readonly rule?: GuardRule;
}

export interface GuardRule {
  /** Whether the device's packets begin with an Ethernet header. */
  readonly ethernet: boolean;
  readonly vxlanPort: number;
  /** First and last of each range that is dropped, in order. */
  readonly vnis: readonly (readonly [first: number, last: number])[];
}

/** A filter of another kind, of one protocol only, at ingress, or one whose program is not shown. */
export interface ForeignFilter {
  readonly dev: string;
  readonly direction: 'ingress' | 'egress';
  readonly kind: string;
  readonly preference: number;
}

export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** `bridge -j vni`: what an external VXLAN device takes. */
export interface VniRange {
  readonly dev: string;
  readonly first: number;
  readonly last: number;
}

/** `bridge -j vlan`: a frame without a tag is in the VLAN that is `pvid`. */
export interface PortVlan {
  readonly dev: string;
  readonly vlan: number;
  readonly pvid: boolean;
  /** Whether frames leave without a tag. */
  readonly untagged: boolean;
}

/**
 * A flower filter at the ingress of a VXLAN device of many VNIs, where the group of a frame is in the
 * tunnel's metadata only: frames of a VNI and group, without a tag of their own, get a mark.
 */
export interface ArrivalMark {
  readonly dev: string;
  readonly preference: number;
  readonly handle: number;
  readonly vni: number;
  readonly group: number;
  readonly mark: number;
}

/** `bridge -j vlan tunnelshow`. */
export interface VlanTunnel {
  readonly dev: string;
  readonly vlan: number;
  readonly vni: number;
}

/** `ip xfrm state` and `ip xfrm policy`, without keys. */
export interface XfrmState {
  readonly associations: readonly {
    readonly source: string;
    readonly destination: string;
    readonly spi: number;
    readonly requestId: number;
    readonly mode: string;
    readonly algorithm: string;
    /** Only of what is to be: the UDP port that it is for, and which key it has. */
    readonly port?: number;
    readonly key?: KeyReference;
  }[];
  readonly policies: readonly {
    readonly direction: 'in' | 'out' | 'fwd';
    /** The lowest that matches decides. */
    readonly priority: number;
    readonly source: string;
    readonly destination: string;
    readonly protocol?: string;
    readonly destinationPort?: number;
    readonly action: 'allow' | 'block';
    readonly level: 'required' | 'use';
    readonly requestId?: number;
    /** The one association that it takes. */
    readonly spi?: number;
    /** It has a condition that is not above (mark, device, interface id, source port). */
    readonly conditional?: true;
  }[];
}

/** `wg show all dump`, without private keys. */
export interface WireguardState {
  readonly dev: string;
  readonly publicKey: string;
  readonly listenPort: number;
  readonly peers: readonly {
    readonly publicKey: string;
    readonly endpoint?: string;
    readonly allowedIps: readonly string[];
    readonly latestHandshake: number;
  }[];
}

/** `ip -j macsec show`, without keys. */
export interface MacsecState {
  readonly dev: string;
  readonly parent: string;
  readonly cipher: string;
  readonly encrypt: boolean;
  readonly protect: boolean;
  readonly validate: string;
  /** Number of the association that encrypts, -1 where it is absent or off: nothing is sent. */
  readonly activeTx: number;
  readonly sends?: readonly MacsecAssociation[];
  /** By the MAC of who sends; port 1 of it. */
  readonly receives?: readonly {
    readonly mac: string;
    readonly associations: readonly MacsecAssociation[];
  }[];
  /** Only of what is to be: otherwise it is the link's. */
  readonly mtu?: number;
  /** The same: of its parent, as frames are sent from it. */
  readonly mac?: string;
}

export interface MacsecAssociation {
  /** AN, 0 to 3. */
  readonly number: number;
  /** 16 bytes in hexadecimal that tell which key it is, and nothing of the key. */
  readonly keyId: string;
  readonly active: boolean;
  /** Only of what is to be. */
  readonly key?: KeyReference;
}
