import { TaplineError } from '@tapline/base';
import type { ImageIndex } from './image-index.ts';
import type { ImageManifest } from './image-manifest.ts';

export type ParsedManifest =
  | { readonly kind: 'manifest'; readonly manifest: ImageManifest }
  | { readonly kind: 'index'; readonly index: ImageIndex };

/** Throws `manifest_invalid` naming the field. */
export function parseManifest(_input: Uint8Array | string): ParsedManifest {
  throw new TaplineError('not_implemented', 'manifest parsing comes with the next change');
}
