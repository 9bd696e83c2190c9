import { systemClock } from '@tapline/base';
import { commandGroups } from './commands.ts';
import type { Console } from './framework/console.ts';
import { runProgram } from './framework/run-program.ts';

/** Runs the command that the process was started with, and sets its exit code. */
export async function runMain(): Promise<void> {
  const interrupt = new AbortController();
  let interruptions = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      interruptions += 1;
      // A second Ctrl-C means now: what is durable survives, the rest is swept at the next start.
      if (interruptions > 1) process.exit(130);
      interrupt.abort(new Error(`stopped by ${name}`));
    });
  }
  // `tapline get … | head` closes the pipe early; that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  const console: Console = {
    environment: process.env,
    clock: systemClock,
    stdin: process.stdin,
    signal: interrupt.signal,
    isTerminal: process.stdout.isTTY,
    columns: process.stdout.columns ?? 80,
    write: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(text),
  };
  process.exitCode = await runProgram(commandGroups, process.argv.slice(2), console);
}
