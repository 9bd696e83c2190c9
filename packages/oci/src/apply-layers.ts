import { TaplineError } from '@tapline/base';
import type { TarEntry } from './tar-entry.ts';

export interface MergedEntry {
  readonly entry: TarEntry;
  /** Which layer it comes from; 0 is the base. */
  readonly layer: number;
}

/** The file list of a stack of layers, base first: canonical path → entry, in path order. */
export function applyLayers(
  _layers: readonly (readonly TarEntry[])[],
): ReadonlyMap<string, MergedEntry> {
  throw new TaplineError('not_implemented', 'layer merging comes with the next change');
}
