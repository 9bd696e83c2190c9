import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { RandomPrograms } from './random-programs-worker.ts';

// TAPLINE_A64_PROGRAMS=20000 TAPLINE_A64_SEED=7 npx vitest run tests/a64/random-programs.test.ts
const count = Number(process.env['TAPLINE_A64_PROGRAMS'] ?? 12);
const first = Number(process.env['TAPLINE_A64_SEED'] ?? 1) * 1_000_000;
/** One takes a tenth of a second. What takes as long as this has no end, whatever its fuel. */
const watchdogMs = 60_000;

interface Message {
  readonly seed: number;
  readonly wrong?: string;
}

/** In a thread of its own, which is ended where one program does not. */
async function wrongPrograms(programs: RandomPrograms): Promise<readonly string[]> {
  const found: string[] = [];
  const worker = new Worker(new URL('random-programs-worker.ts', import.meta.url), {
    workerData: programs,
  });
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
  let at = programs.first;
  const hangs = (): void => reject(new Error(`the program of seed ${at} has not come back`));
  let watchdog = setTimeout(hangs, watchdogMs);
  worker.on('message', ({ seed, wrong }: Message) => {
    at = seed;
    clearTimeout(watchdog);
    watchdog = setTimeout(hangs, watchdogMs);
    if (wrong !== undefined) found.push(`seed ${seed}: ${wrong}`);
  });
  worker.on('error', (error) => {
    reject(new Error(`the program of seed ${at} was thrown at by the host`, { cause: error }));
  });
  worker.on('exit', () => resolve(found));
  try {
    return await promise;
  } finally {
    clearTimeout(watchdog);
    await worker.terminate();
  }
}

test(
  'whole programs of any instructions end alike in each way, change nothing that is not theirs, and come back',
  { timeout: 60_000 + count * 1000 },
  async () => {
    expect(await wrongPrograms({ first, count })).toEqual([]);
  },
);
