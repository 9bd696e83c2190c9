import { TaplineError } from '@tapline/base';
import { Cpu, type CpuEnvironment } from '../interpret/cpu.ts';
import { Interpreter } from '../interpret/interpreter.ts';
import { LinearMemory, pagePermission } from '../interpret/linear-memory.ts';
import type { Stop } from '../interpret/stop.ts';
import { ArrivalCounts } from './arrival-counts.ts';
import { CodeCache } from './code-cache.ts';
import { findEntries } from './find-entries.ts';
import { interpretFirst } from './guest-function.ts';
import { machineLayout } from './machine-layout.ts';
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
  readonly #arrivals: ArrivalCounts | undefined;
  readonly #systemCall: (() => SystemCallOutcome) | undefined;
  /** A system call was made after which the thread does not go on by itself. */
  #left = false;
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
  }) {
    const { bytes, environment, hotAfter = 0, cache = new CodeCache(), systemCall } = init;
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
    this.#arrivals = hotAfter > 0 ? new ArrivalCounts(hotAfter) : undefined;
    this.#code = new TranslatedCode({
      memory: this.memory,
      buffer,
      cache,
      imports: { memory, step: () => this.#step(), system: () => this.#system() },
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
    this.#arrivals?.cover(translation.switched);
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
   * Translates all functions that were come to and are not translated yet, for who comes after: a
   * program that runs the same way again finds them in the cache.
   */
  translateVisited(): void {
    this.#checkVersion();
    const places = this.#arrivals?.takeBegun().filter((place) => !this.#code.has(place)) ?? [];
    for (let at = 0; at < places.length; at += batchSize) {
      this.translate(places.slice(at, at + batchSize));
    }
  }

  /** Goes on until something stops it, for about `fuel` instructions, calls and turns of loops. */
  run(fuel: number): Stop {
    const { cpu } = this;
    cpu.fuel = fuel;
    let interpret = false;
    // What follows an interpreted instruction is seldom a place that others have made a function of.
    let jumped = true;
    if (!this.#code.has(Number(cpu.pc))) this.#arrivals?.begin(Number(cpu.pc));
    while (cpu.fuel > 0) {
      this.#checkVersion();
      const pc = Number(cpu.pc);
      const wanted = !interpret && (jumped || this.#code.has(pc));
      const translated = wanted ? this.#code.find(pc) : undefined;
      if (translated === undefined) {
        const stop = this.#interpreter.run(cpu, 1);
        if (stop.kind !== 'fuel') {
          // What is after a system call is come to from outside.
          if (stop.kind === 'system-call') {
            this.#arrive(pc + 4);
            this.#arrivals?.begin(pc + 4);
          }
          return stop;
        }
        // Coming from translated code counts, as what follows would be interpreted each time.
        const next = Number(cpu.pc);
        jumped = interpret || next !== pc + 4;
        if (jumped) {
          this.#learn(pc, next);
          this.#arrive(next);
        }
        interpret = false;
      } else {
        // The address to go on at, and whether the interpreter has to do what is there.
        const next = BigInt.asUintN(64, translated(0));
        interpret = (next & interpretFirst) !== 0n;
        cpu.pc = next & ~interpretFirst;
        jumped = true;
        if (interpret) this.#arrivals?.begin(Number(cpu.pc) + 4);
        else if (!this.#code.has(Number(cpu.pc))) this.#arrivals?.begin(Number(cpu.pc));
        if (this.#left) {
          this.#left = false;
          return { kind: 'fuel' };
        }
        if (!interpret) this.#arrive(Number(cpu.pc));
      }
      cpu.fuel--;
    }
    return { kind: 'fuel' };
  }

  #arrive(pc: number): void {
    if (this.#arrivals === undefined || this.#code.has(pc)) return;
    const batch = this.#arrivals.arrive(pc);
    if (batch !== undefined) this.translate(batch.filter((place) => !this.#code.has(place)));
  }

  /** Remembers where a BR goes to, for functions with tables of branches. */
  #learn(pc: number, next: number): void {
    if (this.#arrivals === undefined) return;
    const word = this.#word(pc) ?? 0;
    const calls = (word & callMask) >>> 0 === call;
    if (calls || (word & branchRegisterMask) >>> 0 === callRegister) this.#arrivals.begin(next);
    if ((word & branchRegisterMask) >>> 0 === branchRegister) this.#arrivals.learn(pc, next);
  }

  /** Nothing that was translated is run again without a look at the code. */
  #checkVersion(): void {
    if (this.memory.codeVersion === this.#codeVersion) return;
    this.#codeVersion = this.memory.codeVersion;
    this.#code.doubt();
  }

  #step(): number {
    const goesOn = this.#interpreter.run(this.cpu, 1).kind === 'fuel';
    // After code has changed the function must not go on; the instruction is done once more then.
    return goesOn && this.memory.codeVersion === this.#codeVersion ? 0 : 1;
  }

  /** 1 where the system call is for who runs the machine, 2 where translated code is to be left. */
  #system(): number {
    const { cpu } = this;
    const back = cpu.pc;
    const outcome = this.#systemCall?.() ?? 'refused';
    if (outcome === 'refused') return 1;
    this.#left = outcome === 'left';
    const same = cpu.pc === back && this.memory.codeVersion === this.#codeVersion;
    return same && outcome === 'done' ? 0 : 2;
  }

  #word(pc: number): number | undefined {
    const executable = (this.memory.permissionsOf(pc) & pagePermission.execute) !== 0;
    const inside = pc >= 0 && pc + 4 <= this.memory.size && pc % 4 === 0;
    return executable && inside ? Number(this.memory.read(pc, 2)) : undefined;
  }
}

/** BR, but for its register. */
const branchRegister = 0xd61f0000;
/** BLR and BL, but for where to. */
const callRegister = 0xd63f0000;
const call = 0x94000000;
const callMask = 0xfc000000;
const branchRegisterMask = 0xfffffc1f;
