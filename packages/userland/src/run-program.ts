import { GuestMachine, lowestGuestAddress, type Stop } from '@tapline/a64';
import { type Clock, type Rng, TaplineError } from '@tapline/base';
import { AddressSpace } from './address-space.ts';
import type { FileSystem } from './file-node.ts';
import type { GuestProcess } from './guest-process.ts';
import { writeInitialStack } from './initial-stack.ts';
import { loadProgram } from './load-program.ts';
import { FileDescriptors } from './open-file.ts';
import { resolvePath } from './resolve-path.ts';
import { callSystem } from './system-calls/call-system.ts';

export interface RunProgramOptions {
  readonly files: FileSystem;
  /** Absolute, or from `folder`. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly folder: string;
  readonly stdin: (most: number) => Uint8Array;
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Bytes of the address space; more than the program, its heap and its stack. */
  readonly memoryLimit: number;
  /** Arrivals at a place after which it is translated; 0 for interpreting everything. */
  readonly hotAfter: number;
  /** Instructions, calls and turns of loops after which a program is given up. */
  readonly fuel: number;
}

export interface ProgramResult {
  /** As a shell has it: 128 and the signal's number for a program that was killed. */
  readonly exitCode: number;
  /** How often system calls were made that there are not, by number. */
  readonly unknownSystemCalls: ReadonlyMap<number, number>;
}

const stackSize = 1024 * 1024;
const counterFrequency = 62_500_000n;
/** FP, ASIMD, AES, PMULL, SHA1, SHA2, CRC32, atomics: what the instructions are decoded of. */
const capabilities = 0b1_1111_1011;
/** What a Cortex-A57 says in MIDR_EL1; other registers say that there is nothing special. */
const mainId = 0x411fd070n;
const signals = { illegal: 4, trap: 5, bus: 7, segment: 11 };
const slice = 10_000_000;

/** Runs a static program for AArch64 Linux until it ends. */
export function runProgram(options: RunProgramOptions): ProgramResult {
  const { files, folder, clock, rng } = options;
  const { path, node } = resolvePath(files, options.path, { from: folder, followLast: true });
  if (node.kind !== 'file') {
    throw new TaplineError('program_unsupported', `${path} is a ${node.kind}, not a program`);
  }
  const machine = new GuestMachine({
    bytes: options.memoryLimit,
    hotAfter: options.hotAfter,
    environment: {
      counter: () => BigInt(Math.floor(clock.monotonic() * 62_500)),
      counterFrequency,
      identification: (number) => (number === 0 ? mainId : 0n),
    },
  });
  const { cpu, memory } = machine;
  const space = new AddressSpace(memory, lowestGuestAddress);
  const program = loadProgram(node.bytes, space);
  const stack = space.map({ length: stackSize, permissions: 3 });
  const random = Uint8Array.from({ length: 16 }, () => Math.floor(rng() * 256));
  const { argv, env } = options;
  const content = { argv, env, program, path: options.path, random, capabilities };
  cpu.setX(31, BigInt(writeInitialStack(memory, stack + stackSize, content)));
  cpu.pc = BigInt(program.entry);
  const process: GuestProcess = {
    cpu,
    space,
    files,
    folder,
    clock,
    rng,
    executable: path,
    descriptors: new FileDescriptors([
      { kind: 'input', read: options.stdin },
      { kind: 'output', write: options.stdout },
      { kind: 'output', write: options.stderr },
    ]),
    exitCode: undefined,
  };
  const unknown = new Map<number, number>();
  for (let left = options.fuel; left > 0;) {
    const asked = Math.min(left, slice);
    const stop = machine.run(asked);
    // Calls of the system cost, too, so that a loop of them ends.
    left -= Math.max(asked - cpu.fuel, 1);
    if (stop.kind === 'fuel') continue;
    if (stop.kind !== 'system-call') {
      return { exitCode: 128 + signalOf(stop), unknownSystemCalls: unknown };
    }
    callSystem(process, unknown);
    const { exitCode } = process;
    if (exitCode !== undefined) return { exitCode, unknownSystemCalls: unknown };
  }
  throw new TaplineError(
    'guest_fuel',
    `${path} has not ended after ${options.fuel} instructions and turns of loops`,
  );
}

/** There are no handlers yet: the program ends as it does by default. */
function signalOf(stop: Exclude<Stop, { readonly kind: 'fuel' | 'system-call' }>): number {
  switch (stop.kind) {
    case 'breakpoint':
      return signals.trap;
    case 'undefined-instruction':
      return signals.illegal;
    case 'memory-fault': {
      const misaligned = stop.access === 'execute' && (stop.address & 3n) !== 0n;
      return misaligned ? signals.bus : signals.segment;
    }
  }
}
