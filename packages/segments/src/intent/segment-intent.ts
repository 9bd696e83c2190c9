import type { KeyPhase } from '../encryption/key-phase.ts';
import type { PortRole } from './port-role.ts';

/** What protects frames between nodes. `none` is plaintext that somebody asked for. */
export interface Encryption {
  /** What carries the VXLAN packets from node to node. */
  readonly underlay: 'none' | 'wireguard' | 'ipsec';
  /** Whether the underlay's own link is encrypted, too (IEEE 802.1AE). */
  readonly link: 'none' | 'macsec';
}

/** One port: where somebody is attached to a segment. Names, MAC and group derive from it. */
export interface PortIntent {
  /** The node that it is on. */
  readonly node: string;
  /** Number of the port in its segment, 1 to 65,535; unique in the segment, from its record. */
  readonly index: number;
  /**
   * Goes up whenever role, community, address or owner of the index change, so that rules of
   * yesterday name an interface that no longer exists.
   */
  readonly incarnation: number;
  /** Who is attached: the name of a device or workload. */
  readonly owner: string;
  /** Addresses without prefix length, IPv4 or IPv6; nothing else may be used as a source. */
  readonly addresses: readonly string[];
  readonly role: PortRole;
  /** Where the workload's end goes: the node itself, or a network namespace. */
  readonly attach:
    | { readonly kind: 'host' }
    | { readonly kind: 'namespace'; readonly path: string };
}

/** One segment, on all nodes. */
export interface SegmentIntent {
  readonly name: string;
  /** 24 bits; 1 to 4095 are kept free. */
  readonly vni: number;
  /** With prefix length, such as `10.7.0.0/24`. */
  readonly subnet: string;
  /** Of the ports, what is left of the underlay's after encapsulation. */
  readonly mtu: number;
  readonly encryption: Encryption;
  /** Group policy id of each community, from the segment's record; never used again for another. */
  readonly communities: Readonly<Record<string, number>>;
  readonly ports: readonly PortIntent[];
}

export interface NodeIntent {
  readonly name: string;
  /** Where its VXLAN packets come from: its own address, or the one inside the encrypted underlay. */
  readonly vtep: string;
  /** Its address on the underlay. */
  readonly underlay: string;
  /** WireGuard's public key, base64, where it has one. */
  readonly wireguardKey?: string;
  /** Public key that keys of IPsec and MACsec are agreed on with (X25519, base64url). */
  readonly agreementKey?: string;
  /** Goes up when the node has lost the keys that it sent with; it never sends with one twice. */
  readonly keyGeneration?: number;
  /** Its place on a link that is encrypted for segments which ask for it. */
  readonly link?: {
    /** Only the node itself has to know it. */
    readonly interface?: string;
    readonly address: string;
    readonly prefixLength: number;
    /** What it sends from. */
    readonly mac: string;
  };
  /** Its MACsec keys, each wrapped for the node that the intent is of. */
  readonly wrappedKeys?: readonly {
    readonly epoch: number;
    readonly generation: number;
    readonly sealed: string;
  }[];
}

/** All that segments are to be; policy, planner and verifier start from this and nothing else. */
export interface FabricIntent {
  /** UDP port of VXLAN on every node; 4789 unless somebody else has it. */
  readonly vxlanPort: number;
  readonly nodes: readonly NodeIntent[];
  readonly segments: readonly SegmentIntent[];
  /** Which keys of IPsec and MACsec are in use; absent where none were given out. */
  readonly keys?: KeyPhase;
}
