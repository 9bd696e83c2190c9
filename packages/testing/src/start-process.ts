import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { TaplineError } from '@tapline/base';

export interface StartProcessOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ready when a line of its output matches… */
  readonly readyLine?: RegExp;
  /** …or when this URL answers with a status below 500. At once when neither is given. */
  readonly readyUrl?: string;
  /** How long it may take to become ready; 20 s when left out. */
  readonly readyWithinMs?: number;
  /** How long it may take to end after SIGTERM, before SIGKILL; 5 s when left out. */
  readonly stopWithinMs?: number;
  readonly signal?: AbortSignal;
}

export interface StartedProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it has written so far, both streams as they came; the last megabyte. */
  output(): string;
  /** The match of `readyLine`, for ports and addresses printed by the process. */
  readonly ready: RegExpExecArray | undefined;
  /** Sends a signal to it, for tests of crashes. */
  kill(signal: NodeJS.Signals): void;
  /** Settles when it has ended: its exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

const maxOutput = 1024 * 1024;
const probeEveryMs = 50;

/**
 * Starts a program and waits until it is ready. Disposing ends it by its process id, with SIGTERM,
 * then SIGKILL. Throws `process_not_ready` with the end of its output when it ends or dawdles.
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: StartProcessOptions = {},
): Promise<StartedProcess> {
  const { cwd, env, readyLine, readyUrl, readyWithinMs = 20_000, stopWithinMs = 5000 } = options;
  const child = spawn(command, [...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const lineMatched = Promise.withResolvers<RegExpExecArray>();
  function collect(chunk: string): void {
    output = (output + chunk).slice(-maxOutput);
    const match = readyLine?.exec(output);
    if (match) lineMatched.resolve(match);
  }
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  // Also settles when it cannot be started, in which case there is no exit event.
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  let ended = false;
  void exited.then(() => (ended = true));

  async function stop(): Promise<void> {
    if (ended) return;
    child.kill('SIGTERM');
    const inTime = await within(exited, stopWithinMs);
    if (!inTime) child.kill('SIGKILL');
    await exited;
  }

  function notReady(why: string): TaplineError {
    const tail = output.split('\n').slice(-20).join('\n');
    return new TaplineError('process_not_ready', `${command} ${why}; its output ends: ${tail}`, {
      details: { command, args },
    });
  }

  // Ends all waiting at once, whichever of its reasons comes first.
  const waiting = new AbortController();
  const signals = options.signal === undefined ? [] : [options.signal];
  const signal = AbortSignal.any([waiting.signal, ...signals]);
  async function ready(): Promise<RegExpExecArray | undefined> {
    if (readyLine !== undefined) return lineMatched.promise;
    if (readyUrl !== undefined) await probe(readyUrl, signal);
    return undefined;
  }
  try {
    await once(child, 'spawn', { signal });
    const match = await Promise.race([
      ready(),
      exited.then((code) => Promise.reject(notReady(`ended with ${code} before it was ready`))),
      delay(readyWithinMs, undefined, { signal }).then(() =>
        Promise.reject(notReady(`is not ready after ${readyWithinMs} ms`)),
      ),
    ]);
    return {
      pid: child.pid ?? 0,
      output: () => output,
      ready: match,
      kill: (name) => void child.kill(name),
      exited,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    waiting.abort();
  }
}

/** Whether `promise` settles within the time. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    const late = delay(ms, false, { signal: timer.signal }).catch(() => false);
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    timer.abort();
  }
}

async function probe(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const response = await fetch(url, { signal });
      await response.body?.cancel();
      if (response.status < 500) return;
    } catch (error) {
      // Nothing listens yet; the caller's deadline and the process's end bound the wait.
      if (signal.aborted) throw error;
    }
    await delay(probeEveryMs, undefined, { signal });
  }
}
