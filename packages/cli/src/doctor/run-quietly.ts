import { execFile } from 'node:child_process';

const withinMs = 5000;

/** What a program printed; undefined where it is not there, fails or takes too long. */
export function runQuietly(
  program: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  // Where administrators' tools are, which users' paths leave out.
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  const options = {
    timeout: withinMs,
    signal,
    env: { PATH: path, LC_ALL: 'C' },
    maxBuffer: 16 * 2 ** 20,
  };
  return new Promise((resolve) => {
    execFile(program, [...words], options, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}
