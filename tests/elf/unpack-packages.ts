import { openAptRoot } from '../../tools/debian/apt-root.ts';
import { unpackDebs } from '../../tools/debian/unpack-debs.ts';

export interface UnpackPackagesOptions {
  readonly architecture: 'amd64' | 'arm64';
  readonly names: readonly string[];
}

/** Unpacks packages of Debian 12 into `folder`, without what they depend on. */
export async function unpackPackages(
  folder: string,
  { architecture, names }: UnpackPackagesOptions,
): Promise<void> {
  const root = await openAptRoot({ suite: 'bookworm', architecture });
  const packages = await root.show(names);
  if (packages.length !== names.length) {
    throw new RangeError(`Debian has ${packages.length} of the ${names.length} packages`);
  }
  await unpackDebs(await root.download(packages), folder);
}

/** Programs and libraries that were linked in different ways, and what those programs need. */
export const packageNames: readonly string[] = (
  'libc6 libgcc-s1 libtinfo6 libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 libmpfr6 ' +
  'libsigsegv2 libreadline8 zlib1g libbz2-1.0 liblzma5 libcap2 libcrypt1 libexpat1 ' +
  'libjq1 libonig5 libstdc++6 bash coreutils grep sed tar gzip findutils diffutils gawk ' +
  'jq python3.11-minimal perl-base dash file libmagic1 xz-utils bzip2 m4'
).split(' ');
