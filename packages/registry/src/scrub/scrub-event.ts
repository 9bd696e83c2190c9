import type { Digest } from '@tapline/oci';

/** What a scrub tells while it goes; `done` comes last. */
export type ScrubEvent =
  | {
      readonly kind: 'progress';
      readonly blobs: number;
      readonly bytes: number;
      readonly totalBlobs: number;
      readonly totalBytes: number;
    }
  | {
      readonly kind: 'damaged';
      readonly digest: Digest;
      readonly size: number;
      /** Where it is, or was, served from. */
      readonly repositories: readonly string[];
      /** `repaired` from `replica`; `withdrawn`: no longer served, so that a push brings it back. */
      readonly outcome: 'repaired' | 'withdrawn';
      readonly replica?: string;
      /** Why no replica had it, where there were replicas. */
      readonly reason?: string;
    }
  | {
      readonly kind: 'missing';
      readonly digest: Digest;
      readonly repositories: readonly string[];
      readonly outcome: 'repaired' | 'missing';
      readonly replica?: string;
      readonly reason?: string;
    }
  | {
      readonly kind: 'done';
      readonly blobs: number;
      readonly bytes: number;
      readonly damaged: number;
      readonly missing: number;
      readonly repaired: number;
      readonly durationMs: number;
    };
