import { pipeline } from 'node:stream/promises';
import { type Clock, TaplineError } from '@tapline/base';
import type { ProcessIo } from './runtime.ts';
import type { ShellProcess } from './spare-shells.ts';

/** Sees a process through to its end; `kill` has to make it end. Answers the exit code. */
export async function runShell(
  shell: ShellProcess,
  options: { readonly io: ProcessIo; readonly clock: Clock; readonly kill: () => Promise<void> },
): Promise<number> {
  const { io, clock, kill } = options;
  feed(shell, io.stdin);
  collect(shell.stdout, io.onStdout);
  collect(shell.stderr, io.onStderr);

  const finished = new AbortController();
  const interruption = interrupted(io, { clock, finished: finished.signal });
  try {
    return await Promise.race([shell.ended, interruption]);
  } catch (error) {
    await kill();
    await shell.ended;
    throw error;
  } finally {
    finished.abort();
  }
}

/** Rejects when the caller aborts or the time is over; never resolves. */
async function interrupted(
  io: ProcessIo,
  options: { readonly clock: Clock; readonly finished: AbortSignal },
): Promise<never> {
  const { signal, timeoutMs } = io;
  const { clock, finished } = options;
  const stop = signal === undefined ? finished : AbortSignal.any([signal, finished]);
  try {
    // Longer than any timer: only the signals end it.
    await clock.sleep(timeoutMs ?? 2 ** 31 - 1, { signal: stop });
  } catch (reason) {
    if (finished.aborted) return await new Promise<never>(() => {});
    throw reason;
  }
  throw new TaplineError('run_timeout', `process ran longer than ${timeoutMs} ms`, {
    details: { timeoutMs },
  });
}

function feed({ stdin }: ShellProcess, input: ProcessIo['stdin']): void {
  // A process that does not read its input to the end is no error: EPIPE.
  stdin.on('error', () => {});
  if (input === undefined || input instanceof Uint8Array) stdin.end(input);
  else pipeline(input, stdin).catch((error: unknown) => stdin.destroy(error as Error));
}

function collect(
  stream: ShellProcess['stdout'],
  sink: ((chunk: Uint8Array) => void) | undefined,
): void {
  stream.on('error', () => {});
  if (sink === undefined) stream.resume();
  else stream.on('data', sink);
}
