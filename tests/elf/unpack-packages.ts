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

/**
 * Programs and libraries that were linked in different ways (C, C++, Fortran, Go, Rust; by different
 * releases of two linkers), and what those programs need.
 */
export const packageNames: readonly string[] = (
  'libc6 libgcc-s1 libtinfo6 libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 libmpfr6 ' +
  'libsigsegv2 libreadline8 zlib1g libbz2-1.0 liblzma5 libcap2 libcrypt1 libexpat1 ' +
  'libjq1 libonig5 libstdc++6 bash coreutils grep sed tar gzip findutils diffutils gawk ' +
  'jq python3.11-minimal perl-base dash file libmagic1 xz-utils bzip2 m4 ' +
  'curl libcurl4 libnghttp2-14 libidn2-0 librtmp1 libssh2-1 libpsl5 libssl3 libgssapi-krb5-2 ' +
  'libkrb5-3 libk5crypto3 libcom-err2 libkrb5support0 libkeyutils1 libldap-2.5-0 libsasl2-2 ' +
  'libzstd1 libbrotli1 libunistring2 libhogweed6 libnettle8 libgnutls30 libp11-kit0 libtasn1-6 ' +
  'libffi8 sqlite3 libsqlite3-0 git ripgrep fd-find zstd lz4 liblz4-1 libxxhash0 rsync libpopt0 ' +
  'openssl tree less procps libproc2-0 libsystemd0 libgcrypt20 libgpg-error0 util-linux ' +
  'libmount1 libblkid1 libsmartcols1 libuuid1 libudev1 libfdisk1 libgfortran5 libgomp1 ' +
  'libatomic1 libxml2 libxml2-utils libicu72 lua5.4 liblua5.4-0 age direnv ninja-build patchelf ' +
  'libpng16-16 libjpeg62-turbo libfreetype6 e2fsprogs libext2fs2 libss2 libglib2.0-0 ' +
  'libncursesw6 ncurses-bin'
).split(' ');
