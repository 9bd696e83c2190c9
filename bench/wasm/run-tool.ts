import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import type { CodeCache } from '@tapline/a64';
import { seededRng, systemClock } from '@tapline/base';
import { directoryLayer } from '@tapline/runtimes';
import { haveProgram } from '@tapline/testing';
import { runProgram } from '@tapline/userland';
import type { Tool } from './tool-list.ts';

const env = ['PATH=/usr/bin:/bin', 'LC_ALL=C.UTF-8', 'HOME=/tmp'];

export interface Run {
  readonly milliseconds: number;
  /** A byte string. */
  readonly output: string;
}

export function least(runs: readonly Run[]): number {
  return Math.min(...runs.map(({ milliseconds }) => milliseconds));
}

/** Runs a program of a folder, translated, from start to end. */
export async function runTool(
  argv: readonly string[],
  how: {
    readonly root: string;
    readonly input: Uint8Array<ArrayBuffer> | undefined;
    readonly codeCache: CodeCache;
  },
): Promise<Run> {
  const { root, input, codeCache } = how;
  const parts: Uint8Array[] = [];
  const from = performance.now();
  const { exitCode } = await runProgram({
    files: directoryLayer(root),
    path: argv[0] ?? '',
    argv,
    env,
    folder: '/',
    stdin: (async function* () {
      if (input !== undefined) yield input;
    })(),
    stdout: (some) => void parts.push(some),
    stderr: (some) => void process.stderr.write(some),
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 512 * 1024 * 1024,
    hotAfter: 8000,
    fuel: 1e12,
    codeCache,
  });
  const milliseconds = performance.now() - from;
  if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}`);
  return { milliseconds, output: Buffer.concat(parts).toString('latin1') };
}

/** Runs a program of this machine from start to end. */
export function runThere(argv: readonly string[], input: Uint8Array | undefined): Run {
  const [program = '', ...words] = argv;
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync(program, words, {
    encoding: 'latin1',
    input: input ?? '',
    env: { LC_ALL: 'C.UTF-8', HOME: '/tmp', PATH: '/usr/bin:/bin' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const milliseconds = performance.now() - from;
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  return { milliseconds, output: stdout };
}

/** The program, and files that it is to read, as this machine names them. */
export function inRoot(argv: readonly string[], root: string): readonly string[] {
  return argv.map((word, at) => (at === 0 || word.startsWith('/work/') ? root + word : word));
}

/** What the same tool takes as a program of this machine, of three runs; said for a row's note. */
export function nativeNote(
  { argv }: Tool,
  how: { readonly root: string; readonly input: Uint8Array | undefined },
): string {
  const [path = '', ...words] = inRoot(argv, how.root);
  const program = basename(path);
  if (!haveProgram(program)) return 'no native one here';
  const runs = [0, 1, 2].map(() => runThere([program, ...words], how.input));
  return `native ${least(runs).toFixed(0)} ms`;
}
