import type { Digest } from '@tapline/oci';
import type { ScrubEvent } from '../scrub/scrub-event.ts';

/** A repository, with what it holds. Bytes that it shares with others count here in full. */
export interface RepositorySummary {
  readonly name: string;
  readonly tags: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

export interface RepositoryPage {
  readonly repositories: readonly RepositorySummary[];
  /** `last` of the next page; undefined at the end. */
  readonly next?: string;
}

/** What is on the registry's disk. */
export interface StorageUsage {
  readonly repositories: number;
  readonly tags: number;
  readonly manifests: number;
  /** Content files, each once, whatever shares it. */
  readonly blobs: number;
  readonly bytes: number;
  /** Uploads under way. */
  readonly uploads: number;
  readonly uploadBytes: number;
  /** What the file system still has for the registry. */
  readonly freeBytes: number;
  /** Quotas that are set: `*` is the whole registry, others a repository or all below a path. */
  readonly quotas: readonly QuotaUsage[];
}

export interface QuotaUsage {
  readonly scope: string;
  readonly limitBytes: number;
  readonly usedBytes: number;
}

export interface CollectOptions {
  /** Only say what would go. */
  readonly dryRun?: boolean;
  /** Also manifests that have no tag and that nothing refers to; they stay unless asked for. */
  readonly untagged?: boolean;
  /**
   * How long what nothing refers to is left alone after somebody counted on it; the registry's own
   * grace time unless given. Shorter is for those who know that nobody is pushing.
   */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
}

/** Why something that nothing refers to stays for now. */
export type HoldReason = 'recent' | 'upload' | 'in-use';

/** What a garbage collection removed, or would remove. */
export interface CollectionReport {
  readonly dryRun: boolean;
  readonly durationMs: number;
  /** Untagged manifests. */
  readonly manifests: number;
  /** Blobs taken out of a repository that no manifest of it needs. */
  readonly links: number;
  /** Content that no repository has any more, and its bytes: what the disk gets back. */
  readonly blobs: number;
  readonly bytes: number;
  /** Uploads that nobody continued. */
  readonly uploads: number;
  /** What a push may be about to refer to. */
  readonly held: readonly {
    readonly reason: HoldReason;
    readonly blobs: number;
    readonly bytes: number;
  }[];
  /** At most a thousand of the blobs in `blobs`. */
  readonly digests: readonly Digest[];
}

export interface ScrubRequest {
  /** Fetch what is damaged from replicas; else it is only taken out of service. */
  readonly repair?: boolean;
  readonly signal?: AbortSignal;
}

/** What administrators do with a registry. */
export interface RegistryAdmin {
  /** At most `limit` repositories after `last`, in the order of their bytes. */
  repositories(page?: { readonly last?: string; readonly limit?: number }): Promise<RepositoryPage>;
  usage(): Promise<StorageUsage>;
  /** Removes what nothing refers to while the registry serves. One runs at a time. */
  collect(options?: CollectOptions): Promise<CollectionReport>;
  /** Reads every blob and compares it with its digest. */
  scrub(request?: ScrubRequest): AsyncIterable<ScrubEvent>;
}
