import { constants } from 'node:os';
import type { ExitStatus } from './runtime.ts';

/** What a shell's exit code says: above 128 it is a signal. */
export function exitStatus(exitCode: number | undefined): ExitStatus {
  const number = (exitCode ?? 0) - 128;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { exitCode, signal };
}

/** The exit code a shell gives for a process that ended by `signal`. */
export function exitCodeOf(signal: NodeJS.Signals | null): number {
  return signal === null ? 255 : 128 + constants.signals[signal];
}
