import type { Digest } from './digest.ts';

/** Names an image: at least one of `tag` and `digest` is present; `digest` wins. */
export interface Reference {
  /** Host with its port where one is given: `ghcr.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}
