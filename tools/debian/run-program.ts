import { execFile } from 'node:child_process';

import { TaplineError } from '@tapline/base';

export interface RunProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Exit codes that are not failures; 0 when left out. */
  readonly accept?: readonly number[];
}

const maxOutputBytes = 256 * 1024 * 1024;

/** Runs a program to its end and returns what it wrote to standard output. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<string> {
  const { accept = [0], env, ...rest } = options;
  return new Promise((resolve, reject) => {
    const spawnOptions = {
      ...rest,
      // Messages are quoted in errors and parsed by callers, so they must not be translated.
      env: { ...process.env, LC_ALL: 'C', ...env },
      maxBuffer: maxOutputBytes,
      encoding: 'utf8' as const,
    };
    execFile(command, [...args], spawnOptions, (error, stdout, stderr) => {
      if (error === null || (typeof error.code === 'number' && accept.includes(error.code))) {
        resolve(stdout);
        return;
      }
      if (options.signal?.aborted === true) {
        reject(options.signal.reason);
        return;
      }
      if (error.code === 'ENOENT') {
        const hint = `Install the package that provides ${command}.`;
        reject(
          new TaplineError('program_missing', `cannot run ${command}`, { cause: error, hint }),
        );
        return;
      }
      const detail = stderr.trim().split('\n').slice(-5).join('; ');
      reject(
        new TaplineError(
          'program_failed',
          `${command} ${args[0] ?? ''} failed (${String(error.code ?? error.signal)}): ${detail}`,
          { cause: error, details: { command, args } },
        ),
      );
    });
  });
}
