import { spawn } from 'node:child_process';

/** Runs a program to its end and answers how long that took, in ms; another exit code than 0 throws. */
export function timeCommand(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<number> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(performance.now() - from);
      else reject(new Error(`${program} ${words.join(' ')} ended with ${code}: ${errors}`));
    });
  });
}
