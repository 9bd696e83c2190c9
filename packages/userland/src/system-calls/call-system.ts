import { MemoryFault } from '@tapline/a64';
import { errno, LinuxError } from '../errno.ts';
import type { GuestProcess, SystemCall } from '../guest-process.ts';
import { descriptorCalls } from './descriptor-calls.ts';
import { fileCalls } from './file-calls.ts';
import { memoryCalls } from './memory-calls.ts';
import { processCalls } from './process-calls.ts';
import { systemCallNames } from './system-call-names.ts';

const calls: Readonly<Record<string, SystemCall>> = {
  ...descriptorCalls,
  ...fileCalls,
  ...memoryCalls,
  ...processCalls,
};

/**
 * Does what the guest asks for: the number is in X8, arguments in X0–X5, the answer goes to X0, an
 * error as its negative number. Numbers that are not known are counted.
 */
export function callSystem(process: GuestProcess, unknown: Map<number, number>): void {
  const { cpu } = process;
  const number = Number(cpu.x(8) & 0xffffffffn);
  const call = calls[systemCallNames[number] ?? ''];
  if (call === undefined) {
    unknown.set(number, (unknown.get(number) ?? 0) + 1);
    cpu.setX(0, BigInt(-errno.noSystemCall));
    return;
  }
  try {
    const args = [cpu.x(0), cpu.x(1), cpu.x(2), cpu.x(3), cpu.x(4), cpu.x(5)] as const;
    cpu.setX(0, BigInt(call(process, args)));
  } catch (error) {
    if (error instanceof LinuxError) cpu.setX(0, BigInt(-error.errno));
    else if (error instanceof MemoryFault) cpu.setX(0, BigInt(-errno.fault));
    else throw error;
  }
}
