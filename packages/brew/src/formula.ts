import type { Digest } from '@tapline/oci';

/** A bottle as the formula API lists it. */
export interface BottleFile {
  readonly digest: Digest;
  /** Where the API says it is; mirrors rewrite this ({@link bottleUrl}). */
  readonly url: string;
}

/** How the package runs as a service, with the prefix filled in. */
export interface FormulaService {
  readonly command: readonly string[];
  readonly workingDirectory?: string;
  readonly keepAlive: boolean;
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
  readonly hasPostInstall: boolean;
  readonly service?: FormulaService;
  /** Names as the API gives them, possibly aliases; the implicit glibc and gcc are not among them. */
  readonly dependencies: readonly string[];
  /** Bottle tag of the API → bottle, in the API's order. */
  readonly bottles: ReadonlyMap<string, BottleFile>;
}
