/** What a segment has of its parent's numbers, or had until just now. */
export interface Lease {
  /** The segment, and which of that name. */
  readonly owner: string;
  readonly uid: string;
  /** Number of the lease, from 1; never given twice. */
  readonly serial: number;
  /** A block of VNIs: a power of two of them, from a multiple of that. */
  readonly first: number;
  readonly size: number;
  readonly prefix: string;
  /** RFC 3339: in quarantine until then. Absent while it is leased. */
  readonly until?: string | undefined;
}

/** Who has what of a parent's numbers; the record that allocators compare and swap. */
export interface LeaseLedger {
  readonly serial: number;
  readonly leases: readonly Lease[];
}

/** What there is to lease. */
export interface LeasePool {
  /** For messages, such as `fabric default` or `segment eu-west`. */
  readonly name: string;
  readonly first: number;
  readonly size: number;
  /** Absent for a fabric, which has whatever prefixes its segments name. */
  readonly prefix?: string | undefined;
}

/** What somebody wants to have. */
export interface LeaseRequest {
  readonly owner: string;
  readonly uid: string;
  /** How many VNIs; a power of two. */
  readonly size: number;
  readonly first?: number | undefined;
  /** One of them. */
  readonly prefix?: string | undefined;
  readonly prefixLength?: number | undefined;
}

/** What is on nodes and not Tapline's. */
export interface Foreign {
  readonly vnis: readonly { readonly vni: number; readonly where: string }[];
  readonly prefixes: readonly { readonly prefix: string; readonly where: string }[];
}

export type LeaseOutcome =
  | { readonly kind: 'leased'; readonly lease: Lease }
  /** `retryAt`: RFC 3339, when a quarantine ends that is in the way. */
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
      readonly retryAt?: string;
    };
