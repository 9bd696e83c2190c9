import { startProgram } from './start-program.ts';

export interface ProgramResult {
  /** 127 where there is no such program, 128 + n is not told apart from other failures. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type RunProgram = (
  command: readonly [string, ...string[]],
  options?: {
    readonly stdin?: string;
    /** It leaves a process behind that keeps its streams. */
    readonly detach?: boolean;
  },
) => Promise<ProgramResult>;

/** Starts a program without a shell, with an empty environment but the path. */
export const runProgram: RunProgram = async (command, { stdin, detach } = {}) =>
  await startProgram(command).finish(stdin, { detach });
