import { parentPort, workerData } from 'node:worker_threads';
import { seededRng } from '@tapline/base';
import { programSource } from './random-program.ts';
import { runRandomProgram } from './run-random-program.ts';

/** What a worker runs: programs of these seeds, each of which it says before it begins. */
export interface RandomPrograms {
  readonly first: number;
  readonly count: number;
}

const port = parentPort;
const { first, count } = workerData as RandomPrograms;
const source = programSource(seededRng(1));
for (let seed = first; seed < first + count; seed++) {
  port?.postMessage({ seed });
  const wrong = runRandomProgram(seed, source);
  if (wrong !== undefined) port?.postMessage({ seed, wrong });
}
