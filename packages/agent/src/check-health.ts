import { type Clock, errorMessage, isTaplineError, TaplineError } from '@tapline/base';
import type { InstallSpec } from '@tapline/resources';
import type { ExitStatus, ProcessIo } from '@tapline/runtimes';

const keptOutputBytes = 2048;

/** The command that proves a revision, or undefined where the package has no program at all. */
export function healthCommand(spec: InstallSpec): readonly string[] | undefined {
  const { main } = spec.image;
  return spec.health?.command ?? (main === undefined ? undefined : [main, '--version']);
}

/**
 * Runs a health check until it succeeds or its attempts are used up: `health_check_failed`, with the
 * end of what it printed.
 */
export async function checkHealth(
  spec: InstallSpec,
  options: {
    readonly run: (io: ProcessIo) => Promise<ExitStatus>;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { run, clock, signal } = options;
  const { attempts = 1, intervalSeconds = 1, timeoutSeconds = 10 } = spec.health ?? {};
  let outcome = '';
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (attempt > 1) await clock.sleep(intervalSeconds * 1000, { signal });
    let output = '';
    const keep = (chunk: Uint8Array): void => {
      output = (output + new TextDecoder().decode(chunk)).slice(-keptOutputBytes);
    };
    try {
      const { exitCode, signal: killedBy } = await run({
        onStdout: keep,
        onStderr: keep,
        signal,
        timeoutMs: timeoutSeconds * 1000,
      });
      if (exitCode === 0) return;
      outcome = exitCode === undefined ? `ended by ${killedBy}` : `exit code ${exitCode}`;
    } catch (error) {
      signal.throwIfAborted();
      if (!isTaplineError(error, 'run_timeout')) throw error;
      outcome = errorMessage(error);
    }
    if (output !== '') outcome += `: ${output.trim()}`;
  }
  const command = (healthCommand(spec) ?? []).join(' ').slice(0, 200);
  const tries = attempts === 1 ? '' : ` ${attempts} times`;
  throw new TaplineError('health_check_failed', `${command} failed${tries}: ${outcome}`, {
    details: { revision: spec.revision },
  });
}
