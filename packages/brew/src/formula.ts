import type { Digest } from '@tapline/oci';
import type { FormulaService } from './formula-service.ts';
import type { InstallStep } from './post-install/install-step.ts';

/** A bottle as the formula API lists it. */
export interface BottleFile {
  readonly digest: Digest;
  /** Where the API says it is; mirrors rewrite this ({@link bottleUrl}). */
  readonly url: string;
  /** Why it cannot be poured into an image; undefined where it can. */
  readonly unusable?: string;
}

/** A formula as it applies to one bottle tag: variations merged, Linux's dependencies complete. */
export interface Formula {
  readonly name: string;
  readonly tap: string;
  readonly aliases: readonly string[];
  readonly oldNames: readonly string[];
  readonly versionedFormulae: readonly string[];
  readonly description?: string;
  readonly license?: string;
  readonly homepage?: string;
  /** Absent for formulae that can only be built from their repository's head. */
  readonly stableVersion?: string;
  readonly revision: number;
  readonly rebuild: number;
  readonly kegOnly: boolean;
  /** Globs below the prefix that this formula's links may take from another's. */
  readonly linkOverwrite: readonly string[];
  readonly postInstall: readonly InstallStep[];
  readonly service?: FormulaService;
  /** Names as the API gives them, possibly aliases; the implicit glibc and gcc are not among them. */
  readonly dependencies: readonly string[];
  /** Bottle tag of the API → bottle, in the API's order. */
  readonly bottles: ReadonlyMap<string, BottleFile>;
}
