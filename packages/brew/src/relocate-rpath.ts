import { cellarPlaceholder, prefixPlaceholder } from './placeholders.ts';
import { cellar, prefix } from './prefix.ts';

export interface RelocateRpathOptions {
  /** Name of the formula the file belongs to. */
  readonly formula: string;
}

/**
 * The search path of a poured file (`extend/os/linux/keg_relocate.rb#change_rpath!`): the prefix for
 * its placeholder, nothing outside the prefix and `$ORIGIN`, the prefix's `lib` in any case, and of
 * a versioned gcc the one that is installed.
 */
export function relocateRpath(rpath: string, { formula }: RelocateRpathOptions): string {
  const kept = rpath
    .split(':')
    .map((path) => path.replace(prefixPlaceholder, prefix).replace(cellarPlaceholder, cellar))
    .filter((path) => path.startsWith(prefix) || path.startsWith('$ORIGIN'));
  const lib = `${prefix}/lib`;
  const paths = kept.includes(lib) ? kept : [...kept, lib];
  const isGcc = /^gcc(@\d+(\.\d+)*)?$/.test(formula);
  return paths
    .map((path) => (isGcc ? path : path.replace(/lib\/gcc\/\d+$/, 'lib/gcc/current')))
    .join(':');
}
