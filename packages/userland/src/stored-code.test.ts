import { seededRng, systemClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { createMemoryFileSystem } from './files/memory-file-system.ts';
import { runProgram } from './run-program.ts';
import { openStoredCode, type StoredCode } from './stored-code.ts';
import { staticProgram } from './testing/static-program.ts';

// mov x1, #200; subs x1, x1, #1; b.ne -4; mov x0, #7; mov x8, #94; svc #0
const words = [0xd2801901, 0xf1000421, 0x54ffffe1, 0xd28000e0, 0xd2800bc8, 0xd4000001];

async function run(code: StoredCode): Promise<number> {
  const files = createMemoryFileSystem(
    { '/p': { bytes: staticProgram(words), executable: true } },
    { modifiedMs: 0 },
  );
  const { exitCode } = await runProgram({
    files,
    path: '/p',
    argv: ['p'],
    env: [],
    folder: '/',
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 32 * 1024 * 1024,
    hotAfter: 10,
    fuel: 100_000,
    codeCache: code.cache,
  });
  return exitCode;
}

test('what a run has translated is there for the next one, which adds nothing', async () => {
  const first = openStoredCode();
  expect(await run(first)).toBe(7);
  const kept = first.encode();
  expect(kept?.length).toBeGreaterThan(100);
  const second = openStoredCode(kept);
  expect(second.cache.list().length).toBe(first.cache.list().length);
  expect(await run(second)).toBe(7);
  expect(second.encode()).toBeUndefined();
});

test('what is no artefact is as if there were none', async () => {
  const code = openStoredCode(new Uint8Array(40));
  expect(code.cache.list()).toEqual([]);
  expect(await run(code)).toBe(7);
});
