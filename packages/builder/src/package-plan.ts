import type { BottleTag, Formula, Tab } from '@tapline/brew';
import type { Digest } from '@tapline/oci';

/** A bottle to pour: one layer. */
export interface PlannedBottle {
  readonly formula: Formula;
  /** The keg's version, with revision. */
  readonly pkgVersion: string;
  readonly digest: Digest;
  readonly url: string;
  /** Bytes to download; undefined where nobody says before it is fetched. */
  readonly size?: number;
  /** Undefined where the registry has none: the bottle may bring its own. */
  readonly tab?: Tab;
}

/** A package at a version on one platform: its bottles, each after what it depends on. */
export interface PackagePlan {
  readonly tag: BottleTag;
  readonly root: PlannedBottle;
  readonly bottles: readonly PlannedBottle[];
}
