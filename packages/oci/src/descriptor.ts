import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** String annotations; keys are reverse-domain names. */
export type Annotations = Readonly<Record<string, string>>;

/** OCI image spec 1.1, descriptor.md: what a blob or manifest is, and how to verify it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the content as stored, compressed where it is compressed. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Annotations;
  /** The content itself in base64; verify it against `digest` before use. */
  readonly data?: string;
  readonly artifactType?: string;
  readonly platform?: Platform;
}
