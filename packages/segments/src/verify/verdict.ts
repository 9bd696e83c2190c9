import type { PortRole } from '../intent/port-role.ts';
import type { Certificate } from './certificate.ts';

/**
 * What a finding is: `leak`, frames can go where no policy lets them; `unproven`, something could not
 * be read, so that nothing is known; `degraded`, only one of two independent layers holds, or what
 * keeps it from opening by the next mishap is gone; `missing`, the policy allows what the network
 * does not carry; `note`, worth knowing, nothing is open.
 */
export type FindingKind = 'leak' | 'unproven' | 'degraded' | 'missing' | 'note';

/** Stable; each is described in docs/protocols/segment-certificate.md. */
export type FindingCode =
  | 'port_reached'
  | 'segment_crossed'
  | 'source_forged'
  | 'stranger_in_bridge'
  | 'bridges_joined'
  | 'host_reached'
  | 'frame_to_stranger'
  | 'stranger_accepted'
  | 'plaintext_sent'
  | 'plaintext_accepted'
  | 'link_unencrypted'
  | 'stranger_vxlan'
  | 'node_unobserved'
  | 'rules_absent'
  | 'filter_absent'
  | 'filter_too_wide'
  | 'foreign_filter'
  | 'learning_on'
  | 'device_unbound'
  | 'device_stacked'
  | 'host_address'
  | 'port_absent'
  | 'pair_unreachable'
  | 'group_policy_off'
  | 'policy_absent'
  | 'neighbour_told'
  | 'neighbour_wrong'
  | 'no_handshake';

/** One end of a path: a port of the claim, or an interface that none of it names. */
export interface Endpoint {
  readonly node: string;
  readonly device: string;
  readonly port?: {
    readonly vni: number;
    readonly index: number;
    readonly owner: string;
    readonly role: PortRole;
  };
}

/** One step of a frame, as it is observed and not as it is planned. */
export interface Hop {
  readonly node: string;
  readonly at:
    | 'port'
    | 'ingress'
    | 'bridge'
    | 'forward'
    | 'filter'
    | 'vxlan'
    | 'underlay'
    | 'arrival'
    | 'host';
  readonly device: string;
  /** The frame's mark after this step; `any` where it is whatever the sender likes. */
  readonly mark?: number | 'any';
  /** What decided, such as `bridge tapline forward rule 1`. */
  readonly by?: string;
  readonly text: string;
}

export interface Finding {
  readonly kind: FindingKind;
  readonly code: FindingCode;
  readonly node: string;
  readonly segment: { readonly name: string; readonly vni: number };
  readonly message: string;
  readonly from?: Endpoint;
  readonly to?: Endpoint;
  /** Frame by frame from its source to where it must not be; empty where there is none. */
  readonly path: readonly Hop[];
}

export interface Verdict {
  /** The worst of the findings' kinds: `open` for a leak. */
  readonly result: 'verified' | 'degraded' | 'unproven' | 'open';
  readonly nodes: number;
  readonly segments: number;
  readonly ports: number;
  /** Size of the closed set. */
  readonly facts: number;
  readonly findings: readonly Finding[];
  /** Absent where something is open or unproven: there is nothing to certify. */
  readonly certificate?: Certificate;
}
