import { TaplineError } from '@tapline/base';
import { Cpu, type CpuEnvironment } from '../interpret/cpu.ts';
import { checksumTables } from '../interpret/crc32.ts';
import { Interpreter } from '../interpret/interpreter.ts';
import { LinearMemory, pagePermission } from '../interpret/linear-memory.ts';
import type { Stop } from '../interpret/stop.ts';
import { ArrivalCounts } from './arrival-counts.ts';
import { CodeCache } from './code-cache.ts';
import { coldConditionTable, coldKindTable } from './cold/cold-kinds.ts';
import { findEntries } from './find-entries.ts';
import { interpretFirst } from './guest-function.ts';
import { InstructionFunctions } from './instruction-functions.ts';
import { machineLayout, wordEntry } from './machine-layout.ts';
import { translate } from './translate.ts';
import { TranslatedCode } from './translated-code.ts';

/** Below are the machine's own data, which no page of the guest is mapped over. */
export const lowestGuestAddress: number = machineLayout.lowestGuestAddress;

const guestPages = 2 ** 20;
const wasmPageSize = 65_536;
const largest = 2 ** 32 - wasmPageSize;
/** Functions of one module: compilers take them one by one, and a module has to be all there. */
const batchSize = 400;

/**
 * What became of a system call within translated code: the thread goes on, it has to be asked first
 * (`run` comes back, as when fuel is used up), or nothing was done and `run` is to say so.
 */
export type SystemCallOutcome = 'done' | 'left' | 'refused';

/**
 * One guest thread in one WebAssembly memory, of which address n is the guest's address n. Runs what
 * is translated as that, and the rest by the interpreter.
 */
export class GuestMachine {
  readonly cpu: Cpu;
  readonly memory: LinearMemory;
  readonly #interpreter: Interpreter = new Interpreter();
  readonly #code: TranslatedCode;
  readonly #cache: CodeCache;
  readonly #instructions: InstructionFunctions;
  readonly #arrivals: ArrivalCounts | undefined;
  readonly #systemCall: (() => SystemCallOutcome) | undefined;
  /** A system call was made after which the thread does not go on by itself. */
  #left = false;
  /** Has what runs cold code come back, in the machine's memory. */
  readonly #leave: Uint32Array;
  /** Of the code that the functions were made of. */
  #codeVersion = 0;

  /** `bytes` is where the guest's addresses end. */
  constructor(init: {
    readonly bytes: number;
    readonly environment: CpuEnvironment;
    /** Arrivals at a place after which it is translated; left out or 0, only what is asked for is. */
    readonly hotAfter?: number;
    /** What other machines have translated; of its own without one. */
    readonly cache?: CodeCache;
    /** Does a system call that translated code has come to, with the PC after it. */
    readonly systemCall?: () => SystemCallOutcome;
    /**
     * Says how much more may be used where all that `run` was given is: translated code goes on then
     * without being left, which costs all calls that are open. Without it, or with 0, it is left.
     */
    readonly refuel?: () => number;
  }) {
    const { bytes, environment, hotAfter = 0, cache = new CodeCache(), systemCall } = init;
    const { refuel } = init;
    if (bytes <= lowestGuestAddress || bytes > largest) {
      throw new TaplineError(
        'guest_memory',
        `${bytes} bytes of memory for a guest; it is more than ${lowestGuestAddress} and at most ${largest}`,
      );
    }
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / wasmPageSize) });
    const { buffer } = memory;
    const permissions = new Uint8Array(buffer, machineLayout.permissions, guestPages);
    this.memory = new LinearMemory(buffer, permissions);
    this.cpu = new Cpu(this.memory, { environment, buffer, offset: machineLayout.state });
    this.#systemCall = systemCall;
    this.#cache = cache;
    this.#arrivals = hotAfter > 0 ? new ArrivalCounts(buffer, hotAfter) : undefined;
    new Uint8Array(buffer, machineLayout.kinds).set(coldKindTable());
    new Uint16Array(buffer, machineLayout.conditions).set(coldConditionTable());
    new Uint32Array(buffer, machineLayout.checksums).set(checksumTables());
    new Uint32Array(buffer, machineLayout.hotAfter, 1)[0] = hotAfter > 0 ? hotAfter : 0x7fffffff;
    this.#leave = new Uint32Array(buffer, machineLayout.leave, 1);
    this.#code = new TranslatedCode({
      memory: this.memory,
      buffer,
      cache,
      displaced: (pc) => this.#arrivals?.forget(pc),
      imports: {
        memory,
        step: () => this.#step(),
        system: () => this.#system(),
        arrive: (pc: number) => this.#arrive(pc >>> 0),
        learn: (branch: number, target: number) => {
          this.#arrivals?.learn(branch >>> 0, target >>> 0);
          return 0;
        },
        refuel: () => {
          const more = refuel?.() ?? 0;
          return more > 0 ? more : -1;
        },
      },
    });
    const { words, wordEntries } = machineLayout;
    const listed = new Uint32Array(buffer, words, wordEntries * 2);
    this.#instructions = new InstructionFunctions(cache, (module, word) => {
      const { run, index } = this.#code.single(module);
      const entry = wordEntry(word) * 2;
      listed[entry] = word;
      listed[entry + 1] = index;
      return () => run(0);
    });
  }

  /** Makes functions of the code at these addresses; those that begin with no code are left out. */
  translate(entries: readonly number[]): void {
    this.#checkVersion();
    const pages = new Set<number>();
    const translation = translate(entries, {
      readWord: (pc) => {
        const word = this.#word(pc);
        if (word !== undefined) pages.add(pc - (pc % 4096));
        return word;
      },
      branchTargets: (pc) => this.#arrivals?.targetsOf(pc) ?? [],
    });
    if (translation.entries.length === 0) return;
    this.#arrivals?.cover(translation.inside);
    this.#code.add(translation, pages);
  }

  /** Translates whole ranges of code ahead of time, as far as functions are found in them. */
  translateRange(range: { readonly start: number; readonly end: number }): void {
    const entries = findEntries(range, (pc) => this.#word(pc));
    for (let at = 0; at < entries.length; at += batchSize) {
      this.translate(entries.slice(at, at + batchSize));
    }
  }

  /**
   * Translates what was called a good deal and is not translated yet, for who comes after: a program
   * that runs the same way again finds it in the cache.
   */
  translateVisited(): void {
    this.#checkVersion();
    const visits = (pc: number, count: number): number => this.#cache.visit(pc, count);
    const warm = this.#arrivals?.takeWarm(visits) ?? [];
    this.#cache.forgetVisits(warm);
    const places = warm.filter((place) => !this.#code.has(place));
    for (let at = 0; at < places.length; at += batchSize) {
      this.translate(places.slice(at, at + batchSize));
    }
  }

  /** Goes on until something stops it, for about `fuel` instructions, calls and turns of loops. */
  run(fuel: number): Stop {
    const { cpu } = this;
    cpu.fuel = fuel;
    let interpret = false;
    while (cpu.fuel > 0) {
      this.#checkVersion();
      const { pc } = cpu;
      if (interpret || (pc & notCode) !== 0n) {
        const stop = this.#interpreter.run(cpu, 1);
        if (stop.kind !== 'fuel') return stop;
        interpret = false;
      } else {
        this.#leave[0] = 0;
        const run = this.#code.find(Number(pc)) ?? this.#code.runCold;
        // The address to go on at, and whether the interpreter has to do what is there.
        const next = BigInt.asUintN(64, run(0));
        const place = next & ~interpretFirst;
        // Only where there can be code: a jump to below zero is to an address with that bit.
        interpret = place !== next && (place & notCode) === 0n;
        cpu.pc = interpret ? place : next;
        if (this.#left) {
          this.#left = false;
          return { kind: 'fuel' };
        }
      }
      cpu.fuel--;
    }
    return { kind: 'fuel' };
  }

  /** Whether there is a function for what is at an address. */
  isTranslated(pc: number): boolean {
    return this.#code.has(pc);
  }

  /** 1 where there is a function for it, of somebody else or made now that it is hot. */
  #arrive(pc: number): number {
    if (this.#code.find(pc) !== undefined) return 1;
    if (this.#arrivals?.isHot(pc) !== true) return 0;
    const batch = this.#arrivals.takeHot(pc).filter((place) => !this.#code.has(place));
    if (batch.length > 0) this.translate(batch);
    return this.#code.has(pc) ? 1 : 0;
  }

  /** Nothing that was translated is run again without a look at the code. */
  #checkVersion(): void {
    if (this.memory.codeVersion === this.#codeVersion) return;
    this.#codeVersion = this.memory.codeVersion;
    this.#code.doubt();
  }

  #step(): number {
    const { cpu } = this;
    const pc = Number(cpu.pc);
    const word = this.#arrivals === undefined ? undefined : this.#word(pc);
    const alone = word === undefined ? undefined : this.#instructions.find(word);
    if (alone?.() === 0n) {
      cpu.pc = BigInt(pc + 4);
      return 0;
    }
    const goesOn = this.#interpreter.run(cpu, 1).kind === 'fuel';
    // After code has changed the function must not go on; the instruction is done once more then.
    if (goesOn && this.memory.codeVersion === this.#codeVersion) return 0;
    this.#leave[0] = 1;
    return 1;
  }

  /** 1 where the system call is for who runs the machine, 2 where translated code is to be left. */
  #system(): number {
    const { cpu } = this;
    const back = cpu.pc;
    const outcome = this.#systemCall?.() ?? 'refused';
    if (outcome === 'refused') return 1;
    this.#left = outcome === 'left';
    const same = cpu.pc === back && this.memory.codeVersion === this.#codeVersion;
    if (same && outcome === 'done') return 0;
    this.#leave[0] = 1;
    return 2;
  }

  #word(pc: number): number | undefined {
    const executable = (this.memory.permissionsOf(pc) & pagePermission.execute) !== 0;
    const inside = pc >= 0 && pc + 4 <= this.memory.size && pc % 4 === 0;
    return executable && inside ? this.memory.word(pc) : undefined;
  }
}

/** Bits that no address of an instruction has. */
const notCode = 0xffffffff00000003n;
