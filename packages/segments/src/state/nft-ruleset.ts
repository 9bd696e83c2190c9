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
    readonly dev?: string;
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
  readonly elements: readonly unknown[];
}
