import type { KernelOptions } from './create-kernel.ts';
import { type GuestProgram, type GuestSystem, openGuestSystem } from './open-guest-system.ts';

export interface RunProgramOptions extends KernelOptions, GuestProgram {
  /** Instructions, calls and turns of loops after which a program is given up. */
  readonly fuel: number;
  readonly signal?: AbortSignal;
}

export interface ProgramResult extends Pick<GuestSystem, 'unknownSystemCalls' | 'refused'> {
  /** As a shell has it: 128 and the signal's number for a program that was killed. */
  readonly exitCode: number;
}

/** Runs a program for AArch64 Linux, and all that it starts, until it ends. */
export async function runProgram(options: RunProgramOptions): Promise<ProgramResult> {
  const system = openGuestSystem(options);
  const exitCode = await system.run(system.start(options), options);
  return { exitCode, unknownSystemCalls: system.unknownSystemCalls, refused: system.refused };
}
