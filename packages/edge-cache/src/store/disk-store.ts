import type { HeaderFields } from '../rfc/header-fields.ts';
import type { KeptResponse, StoredResponse } from './stored-response.ts';
import type { VariantMarker } from './variant-marker.ts';

/** What the engine asks of the tier below memory. Failures cost hits, never answers. */
export interface DiskStore {
  readonly objects: number;
  readonly bytes: number;
  /** Resolves when it may be found. Never rejects: what cannot be written is counted and not kept. */
  put(stored: StoredResponse, options?: { readonly pinned?: boolean }): Promise<void>;
  putMarker(marker: VariantMarker, options?: { readonly pinned?: boolean }): Promise<void>;
  /**
   * Checked against its sums and its full key; what is damaged is forgotten and not found. A small body
   * is there, of a large one each piece is checked as it is read.
   */
  find(primary: string, fields: HeaderFields): Promise<KeptResponse | undefined>;
  remove(key: string): void;
  /** It was used, though from memory; false where it is not here. */
  touch(key: string): boolean;
  /** False where it is not here, or where too much is pinned. */
  pin(key: string, pinned: boolean): boolean;
}
