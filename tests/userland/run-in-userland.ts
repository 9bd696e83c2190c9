import type { CodeCache } from '@tapline/a64';
import { seededRng, systemClock } from '@tapline/base';
import { directoryLayer } from '@tapline/runtimes';
import { runProgram } from '@tapline/userland';
import type { ProgramRun } from './qemu-system.ts';

/** The same command, here. */
export async function runInUserland(
  root: string,
  command: {
    readonly argv: readonly string[];
    readonly env: readonly string[];
    readonly stdin: string;
    /** Of earlier runs of the same files. */
    readonly codeCache?: CodeCache;
    readonly signal?: AbortSignal;
  },
): Promise<ProgramRun & { readonly unknown: readonly number[] }> {
  const { argv, env, stdin, codeCache, signal } = command;
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const { exitCode, unknownSystemCalls } = await runProgram({
    files: directoryLayer(root),
    path: argv[0] ?? '',
    argv,
    env,
    folder: '/',
    stdin: (async function* () {
      if (stdin !== '') yield new TextEncoder().encode(stdin);
    })(),
    stdout: (some) => void out.push(some),
    stderr: (some) => void err.push(some),
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 1024 * 1024 * 1024,
    hotAfter: 8000,
    fuel: 20_000_000_000,
    ...(codeCache !== undefined && { codeCache }),
    ...(signal !== undefined && { signal }),
  });
  return {
    exitCode,
    stdout: Buffer.concat(out).toString('latin1'),
    stderr: Buffer.concat(err).toString('latin1'),
    unknown: [...unknownSystemCalls.keys()],
  };
}
