import { flushCompileCache } from 'node:module';

/**
 * Flags that keep a long-running process small: what a device has to spare is memory, and an agent
 * allocates and computes next to nothing, so a small young generation and no optimising compilers,
 * whose own code would have to be in memory, cost it no time (docs/decisions/0010-bundle.md).
 */
const leanFlags = [
  '--max-semi-space-size=1',
  '--max-old-space-size=192',
  '--no-opt',
  '--no-maglev',
  // The agent says when there is time for it.
  '--expose-gc',
  // What ran once, as at the start, is compiled again should it run again.
  '--bytecode-old-age=1',
] as const;

/**
 * For what hears much and keeps little, as a replica of OpsBot: a young generation of a megabyte is
 * collected more often, and takes a hundred less.
 */
export const smallFlags: readonly string[] = ['--max-semi-space-size=1'];

/** Makes the C library give back what an image's arrival took. */
const leanEnvironment = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '65536',
} as const;

/**
 * Replaces this process by the same program with other arguments and lean flags: same process id,
 * same files, nothing of what was loaded to get here. Answers false where the process is lean
 * already or the platform cannot replace it; then the caller goes on in this one.
 */
export function becomeLean(
  words: readonly string[],
  flags: readonly string[] = leanFlags,
): boolean {
  const isLean = flags.every((flag) => process.execArgv.includes(flag));
  const [, program] = process.argv;
  if (isLean || program === undefined || process.execve === undefined) return false;
  // What this process compiled is not compiled again by the next.
  flushCompileCache();
  // A join token has done its work, and what runs for months need not keep it.
  const { TAPLINE_TOKEN: _token, ...environment } = process.env;
  process.execve(process.execPath, [process.execPath, ...flags, program, ...words], {
    ...leanEnvironment,
    ...environment,
  });
  return true;
}
