import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/**
 * What `./tapline` runs, made before all tests: a system of five processes starts in half of the time
 * that it takes from the sources.
 */
export const taplineMain: string = join(import.meta.dirname, '../../dist/tapline/main.js');

/** What a command answered. */
export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CommandOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Killed after this; a minute unless given. */
  readonly timeoutMs?: number;
}

/** Runs a command of the command line as its own process. */
export async function runTapline(
  words: readonly string[],
  { stdin = '', env = {}, timeoutMs = 60_000 }: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [taplineMain, ...words], {
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  // A command that ends without reading its input breaks the pipe; its exit code says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}
