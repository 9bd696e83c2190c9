import type { InstallStep } from './post-install/install-step.ts';

/** What is at a path in a keg; hard links count as files. */
export type KegEntry =
  | { readonly kind: 'file'; readonly path: string; readonly executable: boolean }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

/** An unpacked bottle, as far as links and configuration depend on it. */
export interface Keg {
  readonly name: string;
  readonly pkgVersion: string;
  readonly kegOnly: boolean;
  /** Other names below `opt/`: aliases and old names. */
  readonly aliases: readonly string[];
  readonly linkOverwrite: readonly string[];
  /** What is to be done once the kegs are linked. */
  readonly postInstall: readonly InstallStep[];
  /** Of the formula, without revision. */
  readonly version: string;
  /** In path order, relative to the keg; parents come before what they hold. */
  readonly entries: readonly KegEntry[];
}
