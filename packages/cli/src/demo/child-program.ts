import { type Clock, TaplineError } from '@tapline/base';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A long-running child that announced itself. */
export interface ChildProgram extends AsyncDisposable {
  /** What its announcement captured. */
  readonly announced: string;
  readonly pid: number;
  /** Ends it without a word, as when the power does. */
  kill(): void;
}

const stopMs = 8000;

/** Starts a program and waits until a line of its output matches; its first group is the answer. */
export async function startChildProgram(
  command: readonly string[],
  options: {
    readonly announces: RegExp;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly timeoutMs: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<ChildProgram> {
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, {
    env: { ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C on the terminal is for the parent, which then stops its children in order.
    detached: true,
  });
  const output: string[] = [];
  const announced = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output.push(chunk.toString('utf8'));
      if (output.length > 200) output.shift();
      const match = options.announces.exec(output.join(''));
      if (match !== null) resolve(match[1] ?? '');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(
        new TaplineError(
          'child_exited',
          `${command.join(' ')} ended with ${code}:\n${output.join('')}`,
        ),
      );
    });
  });
  const timer = new AbortController();
  const late = options.clock
    .sleep(options.timeoutMs, { signal: AbortSignal.any([timer.signal, options.signal]) })
    .then(() => {
      throw new TaplineError(
        'timed_out',
        `${command.join(' ')} did not start in ${options.timeoutMs} ms:\n${output.join('')}`,
      );
    });
  try {
    const text = await Promise.race([announced, late]);
    return {
      announced: text,
      pid: child.pid ?? 0,
      kill: () => void child.kill('SIGKILL'),
      [Symbol.asyncDispose]: () => stop(child, options.clock),
    };
  } catch (error) {
    await stop(child, options.clock);
    throw error;
  } finally {
    timer.abort();
    late.catch(() => undefined);
    announced.catch(() => undefined);
  }
}

async function stop(child: ChildProcess, clock: Clock): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  const timer = new AbortController();
  child.kill('SIGTERM');
  await Promise.race([
    exited,
    clock.sleep(stopMs, { signal: timer.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    ),
  ]);
  await exited;
  timer.abort();
}
