/** `nft -j list ruleset` (libnftables-json(5)), as far as verdicts depend on it. */
export interface NftRuleset {
  readonly tables: readonly NftTable[];
}

export interface NftTable {
  /** `bridge`, `inet`, `netdev`, `ip`, `ip6`, `arp`. */
  readonly family: string;
  readonly name: string;
  readonly chains: readonly NftChain[];
  readonly sets: readonly NftSet[];
}

export interface NftChain {
  readonly name: string;
  /** Absent for a chain that is only jumped to. */
  readonly base?: {
    readonly type: string;
    readonly hook: string;
    readonly priority: number;
    readonly policy: 'accept' | 'drop';
    /** Of an ingress or egress hook: the devices. */
    readonly devices?: readonly string[];
  };
  readonly rules: readonly NftRule[];
}

/** Statements as nft prints them; who evaluates them takes an unknown one for whatever is worse. */
export interface NftRule {
  readonly statements: readonly unknown[];
}

export interface NftSet {
  readonly name: string;
  readonly kind: 'set' | 'map';
  /** Of the key, such as `['ifname', 'mark']`. */
  readonly type: readonly string[];
  /** Of a map: what its values are, such as `verdict` or `mark`. */
  readonly valueType?: string;
  readonly flags: readonly string[];
  readonly elements: readonly unknown[];
}
