import { fileURLToPath } from 'node:url';
import { type StartedProcess, startProcess } from '@tapline/testing';

const serve = fileURLToPath(new URL('./serve.ts', import.meta.url));

/** The edge on the first core, with the words of `serve.ts`. */
export function startOurs(words: readonly string[]): Promise<StartedProcess> {
  return startProcess('taskset', ['-c', '0', process.execPath, serve, ...words], {
    readyLine: /listening (\d+) (\d+) (\d+)/,
    readyWithinMs: 60_000,
  });
}
