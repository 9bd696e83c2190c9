import { TaplineError } from '@tapline/base';
import { formatPlatform, type Platform } from '@tapline/oci';

/** The bottle tags images are built from; `all` bottles serve each of them. */
export type BottleTag = 'x86_64_linux' | 'arm64_linux';

export const bottleTags: readonly BottleTag[] = ['x86_64_linux', 'arm64_linux'];

const platforms: Readonly<Record<BottleTag, Platform>> = {
  x86_64_linux: { os: 'linux', architecture: 'amd64' },
  arm64_linux: { os: 'linux', architecture: 'arm64' },
};

/** The OCI platform that bottles of `tag` run on. */
export function platformOfTag(tag: BottleTag): Platform {
  return platforms[tag];
}

/** The bottle tag of a platform; arm64 may say `v8`. Throws `platform_unsupported`. */
export function bottleTagOf(platform: Platform): BottleTag {
  const { os, architecture, variant } = platform;
  if (os === 'linux' && architecture === 'amd64' && variant === undefined) return 'x86_64_linux';
  if (os === 'linux' && architecture === 'arm64' && (variant === undefined || variant === 'v8')) {
    return 'arm64_linux';
  }
  throw new TaplineError(
    'platform_unsupported',
    `platform ${formatPlatform(platform)} is not linux/amd64 or linux/arm64`,
    { details: { platform: formatPlatform(platform) } },
  );
}

/** How people read a tag of the formula API: `x86_64_linux` → `linux/amd64`, `all` as it is. */
export function describeBottleTag(tag: string): string {
  const known = bottleTags.find((candidate) => candidate === tag);
  return known === undefined ? tag : formatPlatform(platforms[known]);
}
