import type { Digest } from '@tapline/oci';

/** Somewhere else that a blob can be had from. */
export interface BlobReplica {
  /** Named in reports. */
  readonly name: string;
  /**
   * The bytes of a blob that is in one of `repositories`; the caller verifies them. Throws where
   * the replica has no such blob or does not answer.
   */
  fetch(
    blob: {
      readonly digest: Digest;
      readonly size: number;
      readonly repositories: readonly string[];
    },
    options: { readonly signal?: AbortSignal },
  ): AsyncIterable<Uint8Array>;
}
