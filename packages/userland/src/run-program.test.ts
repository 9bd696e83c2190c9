import { seededRng, systemClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { createMemoryFileSystem } from './files/memory-file-system.ts';
import { type ProgramResult, runProgram } from './run-program.ts';
import { staticProgram } from './testing/static-program.ts';

interface Run {
  readonly result: ProgramResult;
  readonly stdout: string;
}

async function run(
  words: readonly number[],
  options: { readonly fuel?: number } = {},
): Promise<Run> {
  const files = createMemoryFileSystem(
    { '/bin/program': { bytes: staticProgram(words), executable: true } },
    { modifiedMs: 0 },
  );
  let stdout = '';
  const result = await runProgram({
    files,
    path: '/bin/program',
    argv: ['program'],
    env: [],
    folder: '/',
    stdout: (bytes) => {
      stdout += new TextDecoder().decode(bytes);
    },
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 32 * 1024 * 1024,
    hotAfter: 10,
    fuel: options.fuel ?? 100_000,
  });
  return { result, stdout };
}

// mov x0, #7; mov x8, #94; svc #0
const exitSeven = [0xd28000e0, 0xd2800bc8, 0xd4000001];

test('a program says how it ended', async () => {
  expect((await run(exitSeven)).result.exitCode).toBe(7);
});

test('a program finds its name on its stack, and writes it', async () => {
  // ldr x1, [sp, #8]; mov x0, #1; mov x2, #7; mov x8, #64; svc #0; exit 7
  const words = [0xf94007e1, 0xd2800020, 0xd28000e2, 0xd2800808, 0xd4000001, ...exitSeven];
  expect(await run(words)).toMatchObject({ stdout: 'program', result: { exitCode: 7 } });
});

test.each<[string, readonly number[], number]>([
  ['what it may not read', [0xf940001f], 139],
  ['no instruction', [0x00000000], 132],
  ['a breakpoint', [0xd4200000], 133],
])('a program that comes to %s is ended by a signal', async (_, words, exitCode) => {
  expect((await run(words)).result.exitCode).toBe(exitCode);
});

test('a system call that there is not answers ENOSYS, and is counted', async () => {
  // mov x8, #1000; svc #0; neg x0, x0; mov x8, #94; svc #0
  const { result } = await run([0xd2807d08, 0xd4000001, 0xcb0003e0, 0xd2800bc8, 0xd4000001]);
  expect(result.exitCode).toBe(38);
  expect(result.unknownSystemCalls).toEqual(new Map([[1000, 1]]));
});

test('an address that is not the program’s answers EFAULT', async () => {
  // mov x0, #1; mov x1, #8; mov x2, #4; mov x8, #64; svc #0; neg x0, x0; mov x8, #94; svc #0
  const words = [
    0xd2800020, 0xd2800101, 0xd2800082, 0xd2800808, 0xd4000001, 0xcb0003e0, 0xd2800bc8, 0xd4000001,
  ];
  expect((await run(words)).result.exitCode).toBe(14);
});

test.each<[string, readonly number[]]>([
  ['loop', [0x14000000]],
  // mov x8, #172; svc #0; b -8
  ['loop of system calls', [0xd2801588, 0xd4000001, 0x17fffffe]],
])('an endless %s is given up', async (_, words) => {
  await expect(run(words, { fuel: 5000 })).rejects.toThrow(
    'the program has not ended after 5000 instructions',
  );
});

test('what is no static program for AArch64 is refused', async () => {
  const bytes = staticProgram(exitSeven);
  bytes[18] = 62;
  const files = createMemoryFileSystem({ '/p': { bytes, executable: true } }, { modifiedMs: 0 });
  const options = {
    files,
    argv: [],
    env: [],
    folder: '/',
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 32 * 1024 * 1024,
    hotAfter: 0,
    fuel: 10,
  };
  await expect(runProgram({ ...options, path: '/p' })).rejects.toThrow(
    '/p is no program for aarch64 Linux',
  );
  await expect(runProgram({ ...options, path: '/' })).rejects.toThrow('error 13');
  await expect(runProgram({ ...options, path: '/nothing' })).rejects.toThrow(
    'there is no /nothing',
  );
});
