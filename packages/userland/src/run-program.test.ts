import { ManualClock, seededRng } from '@tapline/base';
import { expect, test } from 'vitest';
import { createMemoryFileSystem } from './memory-file-system.ts';
import { type ProgramResult, runProgram } from './run-program.ts';
import { staticProgram } from './testing/static-program.ts';

interface Run {
  readonly result: ProgramResult;
  readonly stdout: string;
}

function run(words: readonly number[], options: { readonly fuel?: number } = {}): Run {
  const files = createMemoryFileSystem(
    { '/bin/program': { bytes: staticProgram(words), executable: true } },
    { modifiedMs: 0 },
  );
  let stdout = '';
  const result = runProgram({
    files,
    path: '/bin/program',
    argv: ['program'],
    env: [],
    folder: '/',
    stdin: () => new Uint8Array(0),
    stdout: (bytes) => {
      stdout += new TextDecoder().decode(bytes);
    },
    stderr: () => {},
    clock: new ManualClock(),
    rng: seededRng(1),
    memoryLimit: 8 * 1024 * 1024,
    hotAfter: 10,
    fuel: options.fuel ?? 100_000,
  });
  return { result, stdout };
}

// mov x0, #7; mov x8, #94; svc #0
const exitSeven = [0xd28000e0, 0xd2800bc8, 0xd4000001];

test('a program says how it ended', () => {
  expect(run(exitSeven).result.exitCode).toBe(7);
});

test('a program finds its name on its stack, and writes it', () => {
  // ldr x1, [sp, #8]; mov x0, #1; mov x2, #7; mov x8, #64; svc #0; exit 7
  const words = [0xf94007e1, 0xd2800020, 0xd28000e2, 0xd2800808, 0xd4000001, ...exitSeven];
  expect(run(words)).toMatchObject({ stdout: 'program', result: { exitCode: 7 } });
});

test.each<[string, readonly number[], number]>([
  ['what it may not read', [0xf940001f], 139],
  ['no instruction', [0x00000000], 132],
  ['a breakpoint', [0xd4200000], 133],
])('a program that comes to %s is ended by a signal', (_, words, exitCode) => {
  expect(run(words).result.exitCode).toBe(exitCode);
});

test('a system call that there is not answers ENOSYS, and is counted', () => {
  // mov x8, #1000; svc #0; neg x0, x0; mov x8, #94; svc #0
  const { result } = run([0xd2807d08, 0xd4000001, 0xcb0003e0, 0xd2800bc8, 0xd4000001]);
  expect(result.exitCode).toBe(38);
  expect(result.unknownSystemCalls).toEqual(new Map([[1000, 1]]));
});

test('an address that is not the program’s answers EFAULT', () => {
  // mov x0, #1; mov x1, #8; mov x2, #4; mov x8, #64; svc #0; neg x0, x0; mov x8, #94; svc #0
  const words = [
    0xd2800020, 0xd2800101, 0xd2800082, 0xd2800808, 0xd4000001, 0xcb0003e0, 0xd2800bc8, 0xd4000001,
  ];
  expect(run(words).result.exitCode).toBe(14);
});

test.each<[string, readonly number[]]>([
  ['loop', [0x14000000]],
  // mov x8, #172; svc #0; b -8
  ['loop of system calls', [0xd2801588, 0xd4000001, 0x17fffffe]],
])('an endless %s is given up', (_, words) => {
  expect(() => run(words, { fuel: 5000 })).toThrow(
    '/bin/program has not ended after 5000 instructions',
  );
});

test('what is no static program for AArch64 is refused', () => {
  const bytes = staticProgram(exitSeven);
  bytes[18] = 62;
  const files = createMemoryFileSystem({ '/p': { bytes } }, { modifiedMs: 0 });
  const options = {
    files,
    argv: [],
    env: [],
    folder: '/',
    stdin: () => new Uint8Array(0),
    stdout: () => {},
    stderr: () => {},
    clock: new ManualClock(),
    rng: seededRng(1),
    memoryLimit: 8 * 1024 * 1024,
    hotAfter: 0,
    fuel: 10,
  };
  expect(() => runProgram({ ...options, path: '/p' })).toThrow('a program for x86_64, not aarch64');
  expect(() => runProgram({ ...options, path: '/' })).toThrow('/ is a directory, not a program');
});
