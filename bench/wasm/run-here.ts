import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { CodeCache } from '@tapline/a64';
import { seededRng, systemClock } from '@tapline/base';
import { createMemoryFileSystem, runProgram } from '@tapline/userland';

/** Runs a static arm64 program, translated, and says what it printed. */
export async function runHere(
  program: string,
  words: readonly string[],
  codeCache?: CodeCache,
): Promise<string> {
  const bytes = new Uint8Array(readFileSync(program));
  const files = createMemoryFileSystem(
    { '/program': { bytes, executable: true } },
    { modifiedMs: 0 },
  );
  const decoder = new TextDecoder();
  let output = '';
  const { exitCode } = await runProgram({
    files,
    path: '/program',
    argv: [basename(program), ...words],
    env: [],
    folder: '/',
    stdout: (some) => {
      output += decoder.decode(some, { stream: true });
    },
    stderr: (some) => void process.stderr.write(some),
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 64 * 1024 * 1024,
    hotAfter: 100,
    fuel: 1e12,
    ...(codeCache !== undefined && { codeCache }),
  });
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}`);
  return output;
}
