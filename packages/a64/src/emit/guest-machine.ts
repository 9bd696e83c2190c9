import { TaplineError } from '@tapline/base';
import { Cpu, type CpuEnvironment } from '../interpret/cpu.ts';
import { Interpreter } from '../interpret/interpreter.ts';
import { LinearMemory, pagePermission } from '../interpret/linear-memory.ts';
import type { Stop } from '../interpret/stop.ts';
import { interpretFirst } from './guest-function.ts';
import { branchCacheEntries, translate } from './translate.ts';

/** Below are the machine's own data, which no page of the guest is mapped over. */
export const lowestGuestAddress = 0x200000;

const stateAddress = 0x1000;
const cacheAddress = 0x10000;
const permissionsAddress = 0x100000;
const guestPages = 2 ** 20;
const wasmPageSize = 65_536;
/** Places that are counted; a program that goes to more is not hot anywhere. */
const mostArrivals = 100_000;
const largest = 2 ** 32 - wasmPageSize;

interface TranslatedFunction {
  readonly run: () => bigint;
  /** In the function table. */
  readonly index: number;
}

/**
 * One guest thread in one WebAssembly memory, of which address n is the guest's address n. Runs what
 * is translated as that, and the rest by the interpreter.
 */
export class GuestMachine {
  readonly cpu: Cpu;
  readonly memory: LinearMemory;
  readonly #interpreter: Interpreter = new Interpreter();
  readonly #functions: Map<number, TranslatedFunction> = new Map();
  readonly #table: WebAssembly.Table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  readonly #imports: Readonly<Record<string, Record<string, WebAssembly.Value>>>;
  readonly #cache: DataView;
  readonly #hotAfter: number;
  /** Of the code that the functions were made of. */
  #codeVersion = 0;
  /** How often code was come to other than from the instruction before it. */
  readonly #arrivals: Map<number, number> = new Map();

  /** `bytes` is where the guest's addresses end. */
  constructor(init: {
    readonly bytes: number;
    readonly environment: CpuEnvironment;
    /** Arrivals at a place after which it is translated; left out or 0, only what is asked for is. */
    readonly hotAfter?: number;
  }) {
    this.#hotAfter = init.hotAfter ?? 0;
    if (init.bytes <= lowestGuestAddress || init.bytes > largest) {
      throw new TaplineError(
        'guest_memory',
        `${init.bytes} bytes of memory for a guest; it is more than ${lowestGuestAddress} and at most ${largest}`,
      );
    }
    const memory = new WebAssembly.Memory({ initial: Math.ceil(init.bytes / wasmPageSize) });
    const { buffer } = memory;
    this.memory = new LinearMemory(buffer, new Uint8Array(buffer, permissionsAddress, guestPages));
    this.cpu = new Cpu(this.memory, {
      environment: init.environment,
      buffer,
      offset: stateAddress,
    });
    this.#cache = new DataView(buffer, cacheAddress, branchCacheEntries * 16);
    this.#imports = {
      a64: {
        step: () => this.#step(),
        memory,
        table: this.#table,
        state: constant(stateAddress),
        permissions: constant(permissionsAddress),
        cache: constant(cacheAddress),
      },
    };
  }

  /** Makes functions of the code at these addresses; those that begin with no code are left out. */
  translate(entries: readonly number[]): void {
    if (this.memory.codeVersion !== this.#codeVersion) this.#forget();
    const translation = translate(entries, (pc) => this.#word(pc));
    if (translation.entries.length === 0) return;
    const module = new WebAssembly.Module(translation.bytes);
    const { exports } = new WebAssembly.Instance(module, this.#imports);
    let index = this.#table.grow(translation.entries.length);
    for (const entry of translation.entries) {
      const run = exports[entry.toString(16)] as () => bigint;
      this.#functions.set(entry, { run, index });
      this.#table.set(index, run);
      this.#remember(entry, index);
      index++;
    }
  }

  /** Has branches to an address find what is there, instead of what was in its place. */
  #remember(pc: number, index: number): void {
    const at = ((pc >>> 2) % branchCacheEntries) * 16;
    this.#cache.setBigUint64(at, BigInt(pc) | 1n, true);
    this.#cache.setUint32(at + 8, index, true);
  }

  /** Goes on until something stops it, for about `fuel` instructions, calls and turns of loops. */
  run(fuel: number): Stop {
    const { cpu } = this;
    cpu.fuel = fuel;
    let interpret = false;
    while (cpu.fuel > 0) {
      if (this.memory.codeVersion !== this.#codeVersion) this.#forget();
      const pc = Number(cpu.pc);
      const translated = interpret ? undefined : this.#functions.get(pc);
      if (translated === undefined) {
        const stop = this.#interpreter.run(cpu, 1);
        if (stop.kind !== 'fuel') return stop;
        // Coming from translated code counts, as what follows would be interpreted each time.
        const next = Number(cpu.pc);
        if (interpret || next !== pc + 4) this.#arrive(next);
        interpret = false;
      } else {
        cpu.openCalls = 0;
        // The address to go on at, and whether the interpreter has to do what is there.
        this.#remember(pc, translated.index);
        const next = BigInt.asUintN(64, translated.run());
        interpret = (next & interpretFirst) !== 0n;
        cpu.pc = next & ~interpretFirst;
        if (!interpret) this.#arrive(Number(cpu.pc));
      }
      cpu.fuel--;
    }
    return { kind: 'fuel' };
  }

  /** Counts; with what is hot, what is nearly so is translated, too: modules cost by their number. */
  #arrive(pc: number): void {
    if (this.#hotAfter === 0 || this.#functions.has(pc)) return;
    const count = (this.#arrivals.get(pc) ?? 0) + 1;
    if (this.#arrivals.size >= mostArrivals) this.#arrivals.clear();
    this.#arrivals.set(pc, count);
    if (count < this.#hotAfter) return;
    const batch: number[] = [];
    for (const [place, times] of this.#arrivals) {
      if (times * 4 < this.#hotAfter) continue;
      batch.push(place);
      this.#arrivals.delete(place);
    }
    this.translate(batch.filter((place) => !this.#functions.has(place)));
  }

  /** Nothing that was translated is run again; what is running leaves at its next exit. */
  #forget(): void {
    this.#functions.clear();
    this.#arrivals.clear();
    new Uint8Array(this.#cache.buffer, cacheAddress, branchCacheEntries * 16).fill(0);
    this.#codeVersion = this.memory.codeVersion;
  }

  #step(): number {
    const goesOn = this.#interpreter.run(this.cpu, 1).kind === 'fuel';
    // After code has changed the function must not go on; the instruction is done once more then.
    return goesOn && this.memory.codeVersion === this.#codeVersion ? 0 : 1;
  }

  #word(pc: number): number | undefined {
    const executable = (this.memory.permissionsOf(pc) & pagePermission.execute) !== 0;
    const inside = pc >= 0 && pc + 4 <= this.memory.size && pc % 4 === 0;
    return executable && inside ? Number(this.memory.read(pc, 2)) : undefined;
  }
}

function constant(value: number): WebAssembly.Global {
  return new WebAssembly.Global({ value: 'i32' }, value);
}
