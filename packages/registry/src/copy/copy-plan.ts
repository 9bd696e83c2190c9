import type { Descriptor, Digest } from '@tapline/oci';

/** A manifest to push, with the bytes that its digest is of. */
export interface PlannedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** What a copy of an image takes, in the order in which it is pushed: blobs, then these. */
export interface CopyPlan {
  readonly root: PlannedManifest;
  /** What an index refers to, before the index; the root comes last. */
  readonly manifests: readonly PlannedManifest[];
  /** Signatures, SBOMs and the like, each after what it is about. */
  readonly referrers: readonly PlannedManifest[];
  /** Each once. */
  readonly blobs: readonly Descriptor[];
  readonly bytes: number;
}
