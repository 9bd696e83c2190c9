import type { HeaderFields } from '../rfc/header-fields.ts';
import type { VariantMarker } from './memory-tier.ts';
import type { StoredResponse } from './stored-response.ts';

/** What the engine asks of the tier below memory. Failures cost hits, never answers. */
export interface DiskStore {
  readonly objects: number;
  readonly bytes: number;
  /** Resolves when it may be found. Never rejects: what cannot be written is counted and not kept. */
  put(stored: StoredResponse): Promise<void>;
  putMarker(marker: VariantMarker): Promise<void>;
  /** Checked against its sums and its full key; what is damaged is forgotten and not found. */
  find(primary: string, fields: HeaderFields): Promise<StoredResponse | undefined>;
  remove(key: string): void;
  /** It was used, though from memory. */
  touch(key: string): void;
}
