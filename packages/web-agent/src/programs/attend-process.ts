import { type Clock, TaplineError } from '@tapline/base';
import type { ContainerProcess } from '@tapline/guest-page';
import type { ExitStatus, ProcessIo } from '@tapline/runtimes';

const killedCode = 137;

/** Gives a program its input, and waits for its end, or ends it. */
export async function attendProcess(
  process: ContainerProcess,
  io: ProcessIo,
  clock: Clock,
): Promise<ExitStatus> {
  const { stdin = new Uint8Array(), signal, timeoutMs } = io;
  const over = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const give = (error: unknown): void => {
    process.kill();
    stopped.reject(error);
  };
  const onAbort = (): void => give(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (timeoutMs !== undefined) {
    clock.sleep(timeoutMs, { signal: over.signal }).then(
      () => give(new TaplineError('run_timeout', `the program ran for more than ${timeoutMs} ms`)),
      () => undefined,
    );
  }
  void feed(process, stdin, over.signal);
  try {
    return await Promise.race([statusOf(process), stopped.promise]);
  } finally {
    over.abort();
    signal?.removeEventListener('abort', onAbort);
  }
}

async function feed(
  process: ContainerProcess,
  stdin: AsyncIterable<Uint8Array> | Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (stdin instanceof Uint8Array) {
      if (stdin.length > 0) process.write(stdin);
    } else {
      for await (const bytes of stdin) {
        if (signal.aborted) return;
        process.write(bytes);
      }
    }
  } catch {
    // Whoever typed is gone: what it typed ends there.
  }
  process.endInput();
}

/** How it ended; a machine that was ended, or broke, killed it. */
export async function statusOf(process: ContainerProcess): Promise<ExitStatus> {
  try {
    return { exitCode: await process.ended, signal: undefined };
  } catch {
    return { exitCode: killedCode, signal: 'SIGKILL' };
  }
}
