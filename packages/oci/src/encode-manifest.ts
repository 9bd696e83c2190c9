import type { ImageConfig } from './image-config.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageManifest } from './image-manifest.ts';

/**
 * Canonical JSON of a manifest, index or config: keys in code-unit order, no white space, absent
 * fields left out, so that equal values have equal digests.
 */
export function encodeManifest(value: ImageManifest | ImageIndex | ImageConfig): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}
