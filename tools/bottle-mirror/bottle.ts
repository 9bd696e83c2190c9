import type { AptRootOptions } from '../debian/apt-root.ts';
import type { PlatformTag } from './platform.ts';

/** A built bottle: all that the API and the registry say of it. Lies beside its archive as JSON. */
export interface Bottle {
  readonly formula: string;
  readonly pkgVersion: string;
  readonly registryTag: string;
  /** Machine it was built for. */
  readonly platform: PlatformTag;
  /** What it is published as: its platform, or `all` where nothing in it depends on one. */
  readonly tag: PlatformTag | 'all';
  /** Where its archive lies. */
  readonly path: string;
  /** Of the tar.gz file, in hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Of the tar inside, in hex: the layer's diff id. */
  readonly tarSha256: string;
  readonly installedBytes: number;
  /** Formulae it needs: the owners of what its ELF files name, the implicit ones too; sorted. */
  readonly dependencies: readonly string[];
  /** Sonames and library names that other kegs can link to. */
  readonly sonames: readonly string[];
  /** Text files with placeholders, relative to the keg. */
  readonly changedFiles: readonly string[];
  /** Programs on the PATH, relative to the keg. */
  readonly pathExecFiles: readonly string[];
  /** Seconds since 1970. */
  readonly modifiedTime: number;
  /** Debian release it comes from. */
  readonly suite: AptRootOptions['suite'];
  /** That release's glibc. */
  readonly glibcVersion: string;
}
