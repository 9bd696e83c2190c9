import type { AptRootOptions } from '../debian/apt-root.ts';

/** A Homebrew bottle tag for Linux, with what its other worlds call the same machine. */
export interface Platform {
  readonly tag: PlatformTag;
  readonly debian: AptRootOptions['architecture'];
  /** Debian's multiarch folder. */
  readonly triplet: string;
  /** In a tab (`arch`). */
  readonly homebrewArch: string;
  readonly ociArch: string;
  /** File name of the dynamic loader in glibc's keg. */
  readonly loader: string;
}

export type PlatformTag = 'x86_64_linux' | 'arm64_linux';

export const platforms: Readonly<Record<PlatformTag, Platform>> = {
  x86_64_linux: {
    tag: 'x86_64_linux',
    debian: 'amd64',
    triplet: 'x86_64-linux-gnu',
    homebrewArch: 'x86_64',
    ociArch: 'amd64',
    loader: 'ld-linux-x86-64.so.2',
  },
  arm64_linux: {
    tag: 'arm64_linux',
    debian: 'arm64',
    triplet: 'aarch64-linux-gnu',
    homebrewArch: 'arm64',
    ociArch: 'arm64',
    loader: 'ld-linux-aarch64.so.1',
  },
};

export function isPlatformTag(text: string): text is PlatformTag {
  return Object.hasOwn(platforms, text);
}
