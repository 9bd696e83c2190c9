import { guestPageSize, type LinearMemory, pagePermission } from '../interpret/linear-memory.ts';
import type { CachedModule, CodeCache } from './code-cache.ts';
import { machineLayout } from './machine-layout.ts';
import { tableIndex } from './table-functions.ts';
import type { Translation } from './translate.ts';

/** A guest function: given how many calls of translated code are open, says where to go on. */
export type RunTranslated = (openCalls: number) => bigint;

interface Instance {
  readonly cached: CachedModule;
  /** Of its first function in the table. */
  readonly base: number;
}

/** A function, and its index in the table. */
export interface Placed {
  readonly run: RunTranslated;
  readonly index: number;
}

/** Places that are remembered not to be in the cache. */
const mostMissing = 100_000;
const cacheBytes = machineLayout.cacheEntries * 16;

/** The functions that one machine can run, by address. */
export class TranslatedCode {
  readonly #memory: LinearMemory;
  readonly #cache: CodeCache;
  readonly #imports: Readonly<Record<string, WebAssembly.Value>>;
  /** Told what is not found any more, so that it has to be asked for again. */
  readonly #displaced: (pc: number) => void;
  readonly #table: WebAssembly.Table = new WebAssembly.Table({
    element: 'anyfunc',
    initial: Object.keys(tableIndex).length,
  });
  /** The branch cache that translated code asks. */
  readonly #branches: DataView;
  readonly #functions: Map<number, Placed> = new Map();
  readonly #instances: Map<CachedModule, Instance> = new Map();
  /** Where nothing was found, since code changed or the cache got something. */
  readonly #missing: Set<number> = new Set();
  #generation = 0;
  /** Goes on at the state's PC with what is not translated. */
  readonly runCold: RunTranslated;

  constructor(init: {
    readonly memory: LinearMemory;
    readonly buffer: ArrayBuffer;
    readonly cache: CodeCache;
    readonly imports: Readonly<Record<string, WebAssembly.Value>>;
    readonly displaced: (pc: number) => void;
  }) {
    this.#displaced = init.displaced;
    this.#memory = init.memory;
    this.#cache = init.cache;
    this.#imports = { ...init.imports, table: this.#table };
    this.#branches = new DataView(init.buffer, machineLayout.cache, cacheBytes);
    this.#start(init.cache.startModule, 0);
    this.runCold = this.#table.get(tableIndex.cold) as RunTranslated;
  }

  has(pc: number): boolean {
    return this.#functions.has(pc);
  }

  /** The function for what is at an address, of this machine or of another. */
  find(pc: number): RunTranslated | undefined {
    const placed = this.#functions.get(pc) ?? this.#lookUp(pc);
    if (placed === undefined) return undefined;
    this.#remember(pc, placed.index);
    return placed.run;
  }

  /** `pages` are the addresses of those that it was made of. */
  add(translation: Translation, pages: Iterable<number>): void {
    const cached: CachedModule = {
      ...translation,
      pages: Array.from(pages, (address) => ({
        address,
        bytes: this.#memory.bytesAt(address, guestPageSize).slice(),
      })),
    };
    this.#cache.add(cached);
    this.#place(this.#instantiate(cached));
  }

  /** Code may have changed: each module is compared with it before it is used again. */
  doubt(): void {
    for (const pc of this.#functions.keys()) this.#displaced(pc);
    this.#functions.clear();
    this.#missing.clear();
    new Uint8Array(this.#branches.buffer, machineLayout.cache, cacheBytes).fill(0);
  }

  /** The only function of a module of the same kind. */
  single(module: WebAssembly.Module): Placed {
    const base = this.#table.grow(1);
    this.#start(module, base);
    return { run: this.#table.get(base) as RunTranslated, index: base };
  }

  #lookUp(pc: number): Placed | undefined {
    if (this.#cache.generation !== this.#generation) {
      this.#generation = this.#cache.generation;
      this.#missing.clear();
    }
    if (this.#missing.has(pc)) return undefined;
    for (const cached of this.#cache.find(pc)) {
      if (!cached.pages.every((page) => this.#isSame(page.address, page.bytes))) continue;
      this.#place(this.#instances.get(cached) ?? this.#instantiate(cached));
      return this.#functions.get(pc);
    }
    if (this.#missing.size >= mostMissing) this.#missing.clear();
    this.#missing.add(pc);
    return undefined;
  }

  #isSame(address: number, bytes: Uint8Array<ArrayBuffer>): boolean {
    const memory = this.#memory;
    if (address + bytes.length > memory.size) return false;
    if ((memory.permissionsOf(address) & pagePermission.execute) === 0) return false;
    const now = memory.bytesAt(address, bytes.length);
    const words = new Uint32Array(now.buffer, now.byteOffset, bytes.length / 4);
    const then =
      bytes.byteOffset % 4 === 0
        ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
        : new Uint32Array(bytes.slice().buffer);
    for (let at = 0; at < then.length; at++) if (words[at] !== then[at]) return false;
    return true;
  }

  #instantiate(cached: CachedModule): Instance {
    const base = this.#table.grow(cached.entries.length);
    this.#start(this.#cache.moduleOf(cached), base);
    const instance = { cached, base };
    this.#instances.set(cached, instance);
    return instance;
  }

  /** Puts the functions of a module into the table. */
  #start(module: WebAssembly.Module, base: number): void {
    const imports = { ...this.#imports, base: new WebAssembly.Global({ value: 'i32' }, base) };
    void new WebAssembly.Instance(module, { a64: imports });
  }

  #place(instance: Instance): void {
    const { cached, base } = instance;
    for (const [at, entry] of cached.entries.entries()) {
      if (this.#functions.has(entry)) continue;
      const run = this.#table.get(base + at) as RunTranslated;
      this.#functions.set(entry, { run, index: base + at });
      this.#remember(entry, base + at);
    }
  }

  /** Has branches to an address find what is there, instead of what was longest in its places. */
  #remember(pc: number, index: number): void {
    const first = ((pc >>> 2) % machineLayout.cacheEntries) * 16;
    const second = first ^ 16;
    const branches = this.#branches;
    const [there, beside] = [branches.getUint32(first, true), branches.getUint32(second, true)];
    const key = (pc | 1) >>> 0;
    if (there === key || beside === key) return;
    if (there !== 0) {
      if (beside !== 0) this.#displaced((beside & ~1) >>> 0);
      branches.setBigUint64(second, BigInt(there), true);
      branches.setUint32(second + 8, branches.getUint32(first + 8, true), true);
    }
    branches.setBigUint64(first, BigInt(key), true);
    branches.setUint32(first + 8, index, true);
  }
}
