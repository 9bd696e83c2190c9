import { TaplineError } from '@tapline/base';
import type { TarEntry } from './tar-entry.ts';

/**
 * What a decoder saw, in archive order. The bytes of an entry come as zero or more `data` events,
 * `entry.size` in all, and are views of the pushed chunk: copy what must outlive it.
 */
export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'entry-end' }
  | { readonly kind: 'archive-end' };

export class TarDecoder {
  push(_chunk: Uint8Array): readonly TarEvent[] {
    throw new TaplineError('not_implemented', 'tar decoding comes with the next change');
  }

  /** Says that no more input comes. Throws `tar_truncated` where the archive is not complete. */
  end(): void {
    throw new TaplineError('not_implemented', 'tar decoding comes with the next change');
  }
}
