import { TaplineError } from '@tapline/base';
import type { TarEntry } from './tar-entry.ts';

/** The canonical form of a path in a layer (`./a/b/` → `a/b`, `./` → `.`). Throws `unsafe_tar_entry`. */
export function checkLayerPath(_path: string): string {
  throw new TaplineError('not_implemented', 'path checks come with the next change');
}

/** The entry with canonical paths. Throws `unsafe_tar_entry` naming the path and why. */
export function assertSafeEntry(_entry: TarEntry): TarEntry {
  throw new TaplineError('not_implemented', 'path checks come with the next change');
}
