import { TaplineError } from '@tapline/base';
import { encodeTarEntry, tarPadding, tarTrailer } from './encode-tar-entry.ts';
import type { TarEntry } from './tar-entry.ts';

export interface TarMember {
  readonly entry: TarEntry;
  /** Exactly `entry.size` bytes; may be left out when that is 0. */
  readonly data?: Uint8Array;
}

/** A whole archive as pieces to write in order, for content that is already in memory. */
export function* encodeTar(members: Iterable<TarMember>): Generator<Uint8Array, void> {
  for (const { entry, data } of members) {
    if ((data?.length ?? 0) !== entry.size) {
      throw new TaplineError(
        'tar_entry_invalid',
        `tar entry ${JSON.stringify(entry.path)} has size ${entry.size} and ${data?.length ?? 0} bytes of content`,
      );
    }
    yield encodeTarEntry(entry);
    if (data !== undefined) yield data;
    yield tarPadding(entry.size);
  }
  yield tarTrailer();
}
