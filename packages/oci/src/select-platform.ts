import type { Descriptor } from './descriptor.ts';
import type { ImageIndex } from './image-index.ts';
import type { Platform } from './platform.ts';

/**
 * The manifest of `index` to run on `platform`, or undefined: of those whose variant the platform
 * covers the most specific, and of equals the first. Names and default variants are containerd's:
 * aarch64 and arm64 mean arm64/v8, arm means arm/v7, x86_64 and amd64 mean amd64/v1.
 */
export function selectPlatform(index: ImageIndex, platform: Platform): Descriptor | undefined {
  const wanted = normalize(platform);
  let best: { readonly manifest: Descriptor; readonly level: number } | undefined;
  for (const manifest of index.manifests) {
    if (manifest.platform === undefined) continue;
    const offered = normalize(manifest.platform);
    if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) continue;
    const runs =
      offered.variant === wanted.variant || levelOf(offered.variant) <= levelOf(wanted.variant);
    const level = levelOf(offered.variant);
    if (runs && (best === undefined || level > best.level)) best = { manifest, level };
  }
  return best?.manifest;
}

const architectures: ReadonlyMap<string, { readonly name: string; readonly variant: string }> =
  new Map([
    ['arm64', { name: 'arm64', variant: 'v8' }],
    ['aarch64', { name: 'arm64', variant: 'v8' }],
    ['arm', { name: 'arm', variant: 'v7' }],
    ['amd64', { name: 'amd64', variant: 'v1' }],
    ['x86_64', { name: 'amd64', variant: 'v1' }],
  ]);

interface Normalized {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

function normalize({ os, architecture, variant }: Platform): Normalized {
  const known = architectures.get(architecture);
  if (known === undefined) return { os, architecture, variant };
  const named = variant === undefined || variant === '' ? known.variant : variant;
  return { os, architecture: known.name, variant: /^\d/.test(named) ? `v${named}` : named };
}

/** `v8.2` → 8.2; each level runs what is built for the lower ones. NaN compares with nothing. */
function levelOf(variant: string | undefined): number {
  return Number(/^v(\d+(?:\.\d+)?)$/.exec(variant ?? '')?.[1] ?? Number.NaN);
}
