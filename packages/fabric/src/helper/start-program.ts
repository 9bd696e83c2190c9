import { type ChildProcess, spawn } from 'node:child_process';
import type { ProgramResult } from './run-program.ts';

/** A program that waits for its input. */
export interface StartedProgram {
  readonly child: ChildProcess;
  /** Gives it all of its input, and waits until it has ended. */
  finish(
    stdin?: string,
    options?: { readonly detach?: boolean | undefined },
  ): Promise<ProgramResult>;
}

/** Without a shell, and with an empty environment but the path. */
export function startProgram([program, ...args]: readonly [string, ...string[]]): StartedProgram {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends before it has read everything says why on its standard error.
  child.stdin.on('error', () => {});
  const exited = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<number>();
  child.once('error', () => {
    exited.resolve(127);
    closed.resolve(127);
  });
  child.once('exit', (code: number | null) => exited.resolve(code ?? 128));
  child.once('close', (code: number | null) => closed.resolve(code ?? 128));
  return {
    child,
    async finish(stdin = '', { detach = false } = {}) {
      child.stdin.end(stdin);
      const code = await (detach ? exited.promise : closed.promise);
      if (detach) {
        child.stdout.destroy();
        child.stderr.destroy();
      }
      return {
        code,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      };
    },
  };
}
