import type { Descriptor } from './descriptor.ts';
import type { ImageIndex } from './image-index.ts';
import type { Platform } from './platform.ts';

/**
 * The manifest of `index` for `platform`, or undefined. An exact variant goes before one that only
 * fits; arm64 means arm64/v8 and arm means arm/v7 (containerd's normalisation).
 */
export function selectPlatform(index: ImageIndex, platform: Platform): Descriptor | undefined {
  const wanted = normalize(platform);
  const candidates = index.manifests.filter(
    (manifest) =>
      manifest.platform !== undefined &&
      manifest.platform.os === wanted.os &&
      normalize(manifest.platform).architecture === wanted.architecture,
  );
  return (
    candidates.find((manifest) => variantOf(manifest) === wanted.variant) ??
    // A plain image runs on any variant of its architecture; the reverse does not hold.
    candidates.find((manifest) => variantOf(manifest) === undefined)
  );
}

function variantOf(manifest: Descriptor): string | undefined {
  return manifest.platform === undefined ? undefined : normalize(manifest.platform).variant;
}

interface Normalized {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

function normalize({ os, architecture, variant }: Platform): Normalized {
  switch (architecture) {
    case 'arm64':
    case 'aarch64':
      return { os, architecture: 'arm64', variant: variant === '8' ? 'v8' : (variant ?? 'v8') };
    case 'arm':
      return { os, architecture, variant: variant ?? 'v7' };
    case 'amd64':
    case 'x86_64':
      return { os, architecture: 'amd64', variant: variant === 'v1' ? undefined : variant };
    default:
      return { os, architecture, variant };
  }
}
