import type { SealRequest, SendingKeys } from './keys/sending-key-store.ts';
import type { WrappedKey } from './keys/wrapped-key.ts';
import type { FabricIntent, NodeCapabilities, NodeState } from '@tapline/segments';

/** One node's part of all segments: converges its kernel to what an intent says. */
export interface Fabric extends AsyncDisposable {
  /** Who switches frames on this node. */
  readonly datapath: 'kernel' | 'user-space';
  /**
   * Makes the node what the intent says, or says per segment why not. Calls are served one after
   * the other. Segments that are the same object as in the last call are not looked at again.
   */
  apply(intent: FabricIntent): Promise<FabricOutcome>;
  /** The commands that `apply` would run now, a line each; changes nothing. */
  plan(intent: FabricIntent): Promise<readonly string[]>;
  /** The same, and the counters, from one look. */
  check(intent: FabricIntent): Promise<FabricCheck>;
  /** What the kernel has, read anew; of a switch in user space what a kernel would have in its place. */
  observe(): Promise<NodeState>;
  metrics(): Promise<FabricMetrics>;
  capabilities(): Promise<NodeCapabilities>;
  /** Public key of the node's WireGuard, base64; made where there is none. The private one stays. */
  wireguardKey(): Promise<string>;
  /** What the node agrees on keys of IPsec and MACsec with, and which it sends with. */
  keys(): Promise<SendingKeys>;
  /** Its MACsec keys of these epochs, each wrapped for another node. */
  sealKeys(wanted: readonly SealRequest[]): Promise<readonly WrappedKey[]>;
  /** Ends the helper and what waits for drift. The network stays as it is. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FabricCheck {
  /** The commands that are left to do; none where the node is what the intent says. */
  readonly open: readonly string[];
  readonly metrics: FabricMetrics | undefined;
}

export interface FabricOutcome {
  /** Whether every segment of the node stands. */
  readonly state: 'converged' | 'degraded' | 'failed';
  readonly conditions: readonly FabricCondition[];
  /** Number of operations that were carried out. */
  readonly operations: number;
  readonly timings: {
    readonly observeMs: number;
    readonly planMs: number;
    readonly applyMs: number;
  };
}

/** What is known of a segment on this node, or of the node where `segment` is absent. */
export interface FabricCondition {
  readonly segment?: string;
  readonly vni?: number;
  readonly ready: boolean;
  /** `Applied`, or the code of what refused it, such as `vni_taken`. */
  readonly reason: string;
  readonly message: string;
}

export interface FabricMetrics {
  readonly segments: readonly SegmentMetrics[];
  /** Frames dropped by what they were, on the whole node; names of nftables' counters. */
  readonly drops: Readonly<Record<string, number>>;
  /** Seconds since the last WireGuard handshake with each peer, by public key. */
  readonly handshakeAgeSeconds: Readonly<Record<string, number>>;
  /** Seconds since the node's WireGuard key was made; absent without one. */
  readonly keyAgeSeconds?: number;
  /** The same of the oldest key of IPsec and MACsec that the node sends with; absent without one. */
  readonly espKeyAgeSeconds?: number;
  readonly macsecKeyAgeSeconds?: number;
  /** How often something was not as it had been left, and was mended. */
  readonly driftMended: number;
}

export interface SegmentMetrics {
  readonly vni: number;
  /** Of the segment's VXLAN device, or of its VNI in one of many: to and from other nodes. */
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** Frames that the VXLAN device could not send, too large ones among them. */
  readonly sendErrors: number;
  readonly droppedPackets: number;
  /** Frames that the policy did not let pass on this node. */
  readonly policyDrops: number;
  readonly mtuErrors: {
    /** Frames that ports did not take: longer than the MTU, or before the port was up. */
    readonly port: number;
    /** Frames that were too large for the way to another node. */
    readonly way: number;
  };
}
