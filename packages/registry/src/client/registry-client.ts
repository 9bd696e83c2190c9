import type { Descriptor, Digest, ParsedManifest } from '@tapline/oci';

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** A manifest as the registry has it; `bytes` are those that `digest` was verified against. */
export interface FetchedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly manifest: ParsedManifest;
}

export interface PushBlobOptions extends RequestOptions {
  /** A repository of the same registry that has the blob, to link it from instead of sending it. */
  readonly mountFrom?: string;
}

/** How a blob got into the repository. */
export type PushOutcome = 'present' | 'mounted' | 'uploaded';

/**
 * A client of one OCI distribution 1.1 registry. Requests that are safe to repeat are retried with
 * bounded, jittered backoff. Errors: `registry_unreachable`, `registry_unauthorized`,
 * `registry_denied`, `manifest_unknown`, `blob_unknown`, `digest_mismatch`, `registry_error`.
 */
export interface RegistryClient extends AsyncDisposable {
  /** Throws where the registry does not answer or refuses the identity. */
  ping(options?: RequestOptions): Promise<void>;
  /** The digest a tag stands for, or undefined. */
  resolve(
    repository: string,
    tag: string,
    options?: RequestOptions,
  ): Promise<Descriptor | undefined>;
  /** `reference` is a tag or a digest. */
  manifest(
    repository: string,
    reference: string,
    options?: RequestOptions,
  ): Promise<FetchedManifest>;
  hasBlob(repository: string, digest: Digest, options?: RequestOptions): Promise<boolean>;
  /** Bytes of a blob, or undefined where the repository lacks it. */
  blobSize(
    repository: string,
    digest: Digest,
    options?: RequestOptions,
  ): Promise<number | undefined>;
  /**
   * The bytes of a blob; a broken connection is resumed by range. They are verified when the
   * iteration ends without an error, not before: `digest_mismatch` comes last.
   */
  blob(
    repository: string,
    blob: Pick<Descriptor, 'digest' | 'size'>,
    options?: RequestOptions,
  ): AsyncIterable<Uint8Array>;
  /**
   * Bytes of a blob from `start` up to `end`; not verified, as no digest speaks of them. Throws
   * `range_unsupported`.
   */
  blobRange(
    repository: string,
    part: { readonly digest: Digest; readonly start: number; readonly end: number },
    options?: RequestOptions,
  ): Promise<Uint8Array>;
  /** `open` is called once per attempt. */
  pushBlob(
    repository: string,
    blob: Pick<Descriptor, 'digest' | 'size'> & { readonly open: () => AsyncIterable<Uint8Array> },
    options?: PushBlobOptions,
  ): Promise<PushOutcome>;
  /**
   * `reference` is a tag or the manifest's digest. Where the registry does not know of subjects, the
   * list of the subject's referrers is kept under a tag, as OCI distribution 1.1 has it.
   */
  pushManifest(
    repository: string,
    manifest: {
      readonly reference: string;
      readonly mediaType: string;
      readonly bytes: Uint8Array;
    },
    options?: RequestOptions,
  ): Promise<Digest>;
  /** A digest goes with its tags, a tag alone; whether there was something to delete. */
  deleteManifest(repository: string, reference: string, options?: RequestOptions): Promise<boolean>;
  tags(repository: string, options?: RequestOptions): Promise<readonly string[]>;
  /** Every repository, where the registry lists them (`/v2/_catalog`; not all do). */
  repositories(options?: RequestOptions): Promise<readonly string[]>;
  /** Descriptors of the manifests whose subject is `digest`, also of registries older than 1.1. */
  referrers(
    repository: string,
    digest: Digest,
    options?: RequestOptions & { readonly artifactType?: string },
  ): Promise<readonly Descriptor[]>;
}
