import { decode } from '../decode/decode.ts';
import type { Instruction } from '../instruction.ts';
import { controlExecutors } from './control-executors.ts';
import type { Cpu } from './cpu.ts';
import { cryptographyExecutors } from './cryptography-executors.ts';
import type { Executors } from './executors.ts';
import { floatingExecutors } from './floating-executors.ts';
import { integerExecutors } from './integer-executors.ts';
import { pagePermission } from './linear-memory.ts';
import { memoryExecutors } from './memory-executors.ts';
import { MemoryFault } from './memory-fault.ts';
import type { Stop } from './stop.ts';
import { vectorFloatExecutors } from './vector-float-executors.ts';
import { vectorIntegerExecutors } from './vector-integer-executors.ts';
import { vectorMoveExecutors } from './vector-move-executors.ts';

type Executor = (instruction: Instruction, cpu: Cpu) => void;

interface Decoded {
  readonly instruction: Instruction;
  readonly execute: Executor;
}

const executors: Executors<Instruction> = {
  ...integerExecutors,
  ...controlExecutors,
  ...memoryExecutors,
  ...floatingExecutors,
  ...vectorIntegerExecutors,
  ...vectorFloatExecutors,
  ...vectorMoveExecutors,
  ...cryptographyExecutors,
};

const outOfFuel: Stop = { kind: 'fuel' };

/** Programs have some ten thousand different words; more come from code that is made to have them. */
const decodedLimit = 65_536;

/**
 * Runs guest code one instruction after another. Words are decoded once each, whatever their
 * address, so that code may change at any time.
 */
export class Interpreter {
  readonly #decoded: Map<number, Decoded> = new Map();

  /** Goes on at the PC until something stops it, for at most `fuel` instructions. */
  run(cpu: Cpu, fuel: number): Stop {
    cpu.stop = undefined;
    try {
      for (let left = fuel; left > 0; left--) {
        const { pc } = cpu;
        const word = cpu.memory.fetch(pc);
        const decoded = this.#decode(word);
        if (decoded === undefined) return { kind: 'undefined-instruction', word };
        cpu.nextPc = BigInt.asUintN(64, pc + 4n);
        decoded.execute(decoded.instruction, cpu);
        cpu.pc = cpu.nextPc;
        // The executor sets it, which the compiler cannot see.
        const stop = cpu.stop as Stop | undefined;
        if (stop !== undefined) return stop;
      }
      return outOfFuel;
    } catch (error) {
      if (error instanceof MemoryFault) return stopOf(error);
      throw error;
    }
  }

  #decode(word: number): Decoded | undefined {
    const known = this.#decoded.get(word);
    if (known !== undefined) return known;
    const instruction = decode(word);
    if (instruction === undefined) return undefined;
    if (this.#decoded.size >= decodedLimit) this.#decoded.clear();
    const execute = executors[instruction.kind] as Executor;
    const decoded = { instruction, execute };
    this.#decoded.set(word, decoded);
    return decoded;
  }
}

function stopOf({ address, permission }: MemoryFault): Stop {
  const access =
    permission === pagePermission.read
      ? 'read'
      : permission === pagePermission.write
        ? 'write'
        : 'execute';
  return { kind: 'memory-fault', address, access };
}
