import { canonicalJson } from '@tapline/base';
import type { ImageConfig } from './image-config.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageManifest } from './image-manifest.ts';

/**
 * Canonical JSON of a manifest, index or config, so that equal values have equal digests.
 */
export function encodeManifest(value: ImageManifest | ImageIndex | ImageConfig): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}
