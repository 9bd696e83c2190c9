import { readFileSync } from 'node:fs';
import { seededRng, systemClock } from '@tapline/base';
import { createMemoryFileSystem, runProgram } from '@tapline/userland';

/** Runs a static arm64 program, translated, and says what it printed. */
export async function runHere(program: string, words: readonly string[]): Promise<string> {
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
    argv: ['program', ...words],
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
  });
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}`);
  return output;
}
