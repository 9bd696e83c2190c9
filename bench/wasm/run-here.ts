import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { CodeCache } from '@tapline/a64';
import { seededRng, systemClock } from '@tapline/base';
import {
  createMemoryFileSystem,
  type KernelOptions,
  openGuestSystem,
  runProgram,
} from '@tapline/userland';

const fuel = 1e12;

function kernelOptions(program: string, codeCache?: CodeCache): KernelOptions {
  const bytes = new Uint8Array(readFileSync(program));
  return {
    files: createMemoryFileSystem({ '/program': { bytes, executable: true } }, { modifiedMs: 0 }),
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 64 * 1024 * 1024,
    hotAfter: 100,
    ...(codeCache !== undefined && { codeCache }),
  };
}

/** Runs a static arm64 program, translated, and says what it printed. */
export async function runHere(
  program: string,
  words: readonly string[],
  codeCache?: CodeCache,
): Promise<string> {
  const decoder = new TextDecoder();
  let output = '';
  const { exitCode } = await runProgram({
    ...kernelOptions(program, codeCache),
    path: '/program',
    argv: [basename(program), ...words],
    env: [],
    folder: '/',
    stdout: (some) => {
      output += decoder.decode(some, { stream: true });
    },
    stderr: (some) => void process.stderr.write(some),
    fuel,
  });
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}`);
  return output;
}

/** A system as a container has it, which runs the program as often as it is told. */
export function openSystem(
  program: string,
  words: readonly string[],
  codeCache: CodeCache,
): () => Promise<void> {
  const system = openGuestSystem(kernelOptions(program, codeCache));
  return async () => {
    const argv = [basename(program), ...words];
    const started = system.start({ path: '/program', argv, env: [], folder: '/' });
    const exitCode = await system.run(started, { fuel });
    if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}`);
  };
}
