import { TaplineError } from '@tapline/base';
import type { TarEntry } from './tar-entry.ts';

/** The header blocks of an entry; its content and {@link tarPadding} come after. */
export function encodeTarEntry(_entry: TarEntry): Uint8Array {
  throw new TaplineError('not_implemented', 'tar encoding comes with the next change');
}

/** The zeros that fill the last block of `size` bytes of content. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((512 - (size % 512)) % 512);
}

/** The two zero blocks that end an archive. */
export function tarTrailer(): Uint8Array {
  return new Uint8Array(1024);
}
