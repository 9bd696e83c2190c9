import type { DebianSource } from './debian-source.ts';

/** Tests that a program's authors wrote, run here and by qemu one by one. */
export interface SelfTest {
  readonly name: string;
  readonly source: DebianSource;
  /** What of the source is needed; unpacked to `/work/NAME`. */
  readonly parts: readonly string[];
  /** Programs of the source that its tests use, compiled for arm64 to `/work/NAME/bin`. */
  readonly helpers?: readonly string[];
  readonly packages: readonly string[];
  /** All tests there are, from the folder that the source was unpacked to. */
  readonly tests: (folder: string) => readonly string[];
  /** What runs one, from `/tmp`, with `/work` to be written to. What it prints has to be as under qemu. */
  readonly script: (test: string) => string;
  readonly shell: string;
  /** What tells runs apart that say the same otherwise, such as numbers of processes. */
  readonly comparable?: (output: string) => string;
  /** Tests that are not run, each with what was seen when they were. */
  readonly leftOut?: Readonly<Record<string, string>>;
  /** Those of each run of CI. */
  readonly sample: readonly string[];
  /** What a test prints that has found its program as its authors have it. */
  readonly passes: RegExp;
}

const shared =
  'libc6 dash bash coreutils libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 libtinfo6 diffutils sed grep libc-bin';

/** The packages of all of them, and these. */
export function withShells(...more: readonly string[]): readonly string[] {
  return [...shared.split(' '), ...more];
}
