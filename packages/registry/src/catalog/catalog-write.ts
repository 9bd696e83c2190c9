import type { Descriptor, Digest } from '@tapline/oci';

/** A manifest of a repository, with what the referrers API says about it. */
export interface ManifestRecord {
  readonly descriptor: Descriptor;
  readonly subject: Digest | undefined;
  /** Blobs and manifests of the same repository without which it cannot be pulled. */
  readonly needs: ManifestNeeds;
}

export interface ManifestNeeds {
  readonly blobs: readonly Digest[];
  readonly manifests: readonly Digest[];
}

export interface SizedDigest {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * A change of the catalog, as data: it is carried out in another thread, several in one commit. Each
 * answers how many things it changed. `now` is wall time in milliseconds.
 */
export type CatalogWrite =
  | {
      readonly kind: 'link-blob';
      readonly repository: string;
      readonly blob: SizedDigest;
      readonly now: number;
    }
  /** Notes that somebody counts on a blob. */
  | {
      readonly kind: 'touch-blob';
      readonly repository: string;
      readonly digest: Digest;
      readonly now: number;
    }
  /** All or nothing: links blobs, stores manifests in order, moves tags to the last one. */
  | {
      readonly kind: 'put-image';
      readonly repository: string;
      readonly blobs: readonly SizedDigest[];
      readonly manifests: readonly ManifestRecord[];
      /** Of the last manifest. */
      readonly tags: readonly string[];
      /** Of others. */
      readonly tagged?: readonly { readonly tag: string; readonly digest: Digest }[];
      readonly now: number;
    }
  /** What it needed counts as touched: the time in which it is left alone begins now. */
  | {
      readonly kind: 'delete-manifest';
      readonly repository: string;
      readonly digest: Digest;
      readonly now: number;
    }
  | { readonly kind: 'delete-tag'; readonly repository: string; readonly tag: string }
  /** Refused with `blob_in_use` while a manifest of the repository needs it. */
  | { readonly kind: 'delete-blob'; readonly repository: string; readonly digest: Digest }
  /** Takes out what no manifest needs and nobody touched at or after `before`. */
  | {
      readonly kind: 'collect-blobs';
      readonly repository: string;
      readonly digests: readonly Digest[];
      readonly before: number;
    }
  /** Takes out manifests without a tag that no index needs and nobody touched at or after `before`. */
  | {
      readonly kind: 'collect-manifests';
      readonly repository: string;
      readonly digests: readonly Digest[];
      readonly before: number;
    };
