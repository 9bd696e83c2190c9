import { TaplineError } from '@tapline/base';
import { Cpu, type CpuEnvironment } from '../interpret/cpu.ts';
import { Interpreter } from '../interpret/interpreter.ts';
import { LinearMemory, pagePermission } from '../interpret/linear-memory.ts';
import type { Stop } from '../interpret/stop.ts';
import { interpretFirst } from './guest-function.ts';
import { machineLayout } from './machine-layout.ts';
import { translate } from './translate.ts';

/** Below are the machine's own data, which no page of the guest is mapped over. */
export const lowestGuestAddress: number = machineLayout.lowestGuestAddress;

const guestPages = 2 ** 20;
const cacheBytes = machineLayout.cacheEntries * 16;
const wasmPageSize = 65_536;
/** Places that are counted; a program that goes to more is not hot anywhere. */
const mostArrivals = 100_000;
const largest = 2 ** 32 - wasmPageSize;
/** BR, but for its register. */
const branchRegister = 0xd61f0000;
const branchRegisterMask = 0xfffffc1f;
/** Places that one BR may be known to go to. */
const mostTargets = 512;
/** How much hotter a place has to be that is part of a function already. */
const switchedFactor = 16;

interface TranslatedFunction {
  /** Given how many calls of translated code are open. */
  readonly run: (openCalls: number) => bigint;
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
  readonly #imports: { readonly a64: Record<string, WebAssembly.Value> };
  readonly #cache: DataView;
  readonly #hotAfter: number;
  readonly #systemCall: (() => boolean) | undefined;
  /** Of the code that the functions were made of. */
  #codeVersion = 0;
  /** How often code was come to other than from the instruction before it. */
  readonly #arrivals: Map<number, number> = new Map();
  /** Where each BR that was interpreted has gone to. */
  readonly #branches: Map<number, Set<number>> = new Map();
  readonly #targets: Set<number> = new Set();
  /** What is part of a function by a table of branches, and is not to be one of its own as well. */
  readonly #switched: Set<number> = new Set();

  /** `bytes` is where the guest's addresses end. */
  constructor(init: {
    readonly bytes: number;
    readonly environment: CpuEnvironment;
    /** Arrivals at a place after which it is translated; left out or 0, only what is asked for is. */
    readonly hotAfter?: number;
    /**
     * Does a system call that translated code has come to, with the PC after it, and says true; or
     * says false, having changed nothing, to have {@link run} stop there.
     */
    readonly systemCall?: () => boolean;
  }) {
    this.#systemCall = init.systemCall;
    this.#hotAfter = init.hotAfter ?? 0;
    if (init.bytes <= lowestGuestAddress || init.bytes > largest) {
      throw new TaplineError(
        'guest_memory',
        `${init.bytes} bytes of memory for a guest; it is more than ${lowestGuestAddress} and at most ${largest}`,
      );
    }
    const memory = new WebAssembly.Memory({ initial: Math.ceil(init.bytes / wasmPageSize) });
    const { buffer } = memory;
    this.memory = new LinearMemory(
      buffer,
      new Uint8Array(buffer, machineLayout.permissions, guestPages),
    );
    this.cpu = new Cpu(this.memory, {
      environment: init.environment,
      buffer,
      offset: machineLayout.state,
    });
    this.#cache = new DataView(buffer, machineLayout.cache, cacheBytes);
    this.#imports = {
      a64: {
        step: () => this.#step(),
        system: () => this.#system(),
        memory,
        table: this.#table,
      },
    };
  }

  /** Makes functions of the code at these addresses; those that begin with no code are left out. */
  translate(entries: readonly number[]): void {
    if (this.memory.codeVersion !== this.#codeVersion) this.#forget();
    const translation = translate(entries, {
      readWord: (pc) => this.#word(pc),
      branchTargets: (pc) => [...(this.#branches.get(pc) ?? [])],
    });
    for (const place of translation.switched) this.#switched.add(place);
    if (translation.entries.length === 0) return;
    const module = new WebAssembly.Module(translation.bytes);
    const base = this.#table.grow(translation.entries.length);
    const global = new WebAssembly.Global({ value: 'i32' }, base);
    // Puts its functions into the table.
    void new WebAssembly.Instance(module, { a64: { ...this.#imports.a64, base: global } });
    for (const [at, entry] of translation.entries.entries()) {
      const run = this.#table.get(base + at) as TranslatedFunction['run'];
      this.#functions.set(entry, { run, index: base + at });
      this.#remember(entry, base + at);
    }
  }

  /** Has branches to an address find what is there, instead of what was in its place. */
  #remember(pc: number, index: number): void {
    const at = ((pc >>> 2) % machineLayout.cacheEntries) * 16;
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
        if (interpret || next !== pc + 4) {
          if (this.#hotAfter > 0) this.#learn(pc, next);
          this.#arrive(next);
        }
        interpret = false;
      } else {
        // The address to go on at, and whether the interpreter has to do what is there.
        this.#remember(pc, translated.index);
        const next = BigInt.asUintN(64, translated.run(0));
        interpret = (next & interpretFirst) !== 0n;
        cpu.pc = next & ~interpretFirst;
        if (!interpret) this.#arrive(Number(cpu.pc));
      }
      cpu.fuel--;
    }
    return { kind: 'fuel' };
  }

  /** Remembers where a BR goes to, for functions with tables of branches. */
  #learn(pc: number, next: number): void {
    if (((this.#word(pc) ?? 0) & branchRegisterMask) >>> 0 !== branchRegister) return;
    const known = this.#branches.get(pc) ?? new Set();
    if (known.size >= mostTargets || this.#branches.size >= mostArrivals) return;
    this.#branches.set(pc, known.add(next));
    this.#targets.add(next);
  }

  /** Counts; with what is hot, what is nearly so is translated, too: modules cost by their number. */
  #arrive(pc: number): void {
    if (this.#hotAfter === 0 || this.#functions.has(pc)) return;
    const count = (this.#arrivals.get(pc) ?? 0) + 1;
    if (this.#arrivals.size >= mostArrivals) this.#arrivals.clear();
    this.#arrivals.set(pc, count);
    const hot = this.#hotAfter * (this.#switched.has(pc) ? switchedFactor : 1);
    if (count < hot) return;
    const batch: number[] = [];
    for (const [place, times] of this.#arrivals) {
      if (place !== pc && (times * 4 < this.#hotAfter || this.#targets.has(place))) continue;
      batch.push(place);
      this.#arrivals.delete(place);
    }
    this.translate(batch.filter((place) => !this.#functions.has(place)));
  }

  /** Nothing that was translated is run again; what is running leaves at its next exit. */
  #forget(): void {
    this.#functions.clear();
    this.#arrivals.clear();
    this.#branches.clear();
    this.#switched.clear();
    this.#targets.clear();
    new Uint8Array(this.#cache.buffer, machineLayout.cache, cacheBytes).fill(0);
    this.#codeVersion = this.memory.codeVersion;
  }

  #step(): number {
    const goesOn = this.#interpreter.run(this.cpu, 1).kind === 'fuel';
    // After code has changed the function must not go on; the instruction is done once more then.
    return goesOn && this.memory.codeVersion === this.#codeVersion ? 0 : 1;
  }

  /** 1 where the system call is for who runs the machine, 2 where it has gone on elsewhere. */
  #system(): number {
    const { cpu } = this;
    const back = cpu.pc;
    if (this.#systemCall?.() !== true) return 1;
    return cpu.pc === back && this.memory.codeVersion === this.#codeVersion ? 0 : 2;
  }

  #word(pc: number): number | undefined {
    const executable = (this.memory.permissionsOf(pc) & pagePermission.execute) !== 0;
    const inside = pc >= 0 && pc + 4 <= this.memory.size && pc % 4 === 0;
    return executable && inside ? Number(this.memory.read(pc, 2)) : undefined;
  }
}
