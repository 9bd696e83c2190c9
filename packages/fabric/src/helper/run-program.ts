import { spawn } from 'node:child_process';

export interface ProgramResult {
  /** 127 where there is no such program, 128 + n is not told apart from other failures. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type RunProgram = typeof runProgram;

/** Starts a program without a shell, with an empty environment but the path. */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  options: {
    readonly stdin?: string;
    /** It leaves a process behind that keeps its streams. */ readonly detach?: boolean;
  } = {},
): Promise<ProgramResult> {
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
  child.stdin.end(options.stdin ?? '');
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', () => resolve(127));
  child.once(options.detach === true ? 'exit' : 'close', (code: number | null) =>
    resolve(code ?? 128),
  );
  const code = await promise;
  if (options.detach === true) {
    child.stdout.destroy();
    child.stderr.destroy();
  }
  return {
    code,
    stdout: Buffer.concat(stdout).toString('utf8'),
    stderr: Buffer.concat(stderr).toString('utf8'),
  };
}
