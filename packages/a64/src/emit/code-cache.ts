import { startModule, type Translation } from './translate.ts';

/** A page of code as it was when something was translated. */
export interface CodePage {
  readonly address: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A module, and the code that it is for: addresses are part of it, so both have to be the same. */
export interface CachedModule extends Translation {
  readonly pages: readonly CodePage[];
}

interface Kept {
  readonly cached: CachedModule;
  module: WebAssembly.Module | undefined;
}

const mostInstructions = 4096;
const mostVisits = 65_536;
/** Modules of more bytes than this together are not kept; the oldest go first. */
const largest = 256 * 1024 * 1024;

/**
 * What has been translated, for all machines: programs that are started again, pages that are mapped
 * again and copies of processes find it. A machine compares the pages before it uses a module, so that
 * code never runs as what it is not.
 */
export class CodeCache {
  readonly #kept: Set<Kept> = new Set();
  readonly #byEntry: Map<number, Set<Kept>> = new Map();
  readonly #instructions: Map<number, WebAssembly.Module | undefined> = new Map();
  /** How often places were come to that are not translated, by all machines. */
  readonly #visits: Map<number, number> = new Map();
  #start: WebAssembly.Module | undefined;
  #bytes = 0;
  #generation = 0;

  /** Another number than before when something was added. */
  get generation(): number {
    return this.#generation;
  }

  /** `module` where it has been compiled already. */
  add(cached: CachedModule, module?: WebAssembly.Module): void {
    const kept = { cached, module };
    this.#kept.add(kept);
    for (const entry of cached.entries) {
      const those = this.#byEntry.get(entry) ?? new Set();
      this.#byEntry.set(entry, those.add(kept));
    }
    this.#bytes += sizeOf(cached);
    this.#generation++;
    for (const oldest of this.#kept) {
      if (this.#bytes <= largest || oldest === kept) break;
      this.#remove(oldest);
    }
  }

  /** Modules that have a function for the code at an address, the newest first. */
  find(pc: number): readonly CachedModule[] {
    return [...(this.#byEntry.get(pc) ?? [])].map(({ cached }) => cached).toReversed();
  }

  /** Compiled once for all machines. */
  moduleOf(cached: CachedModule): WebAssembly.Module {
    const [entry = 0] = cached.entries;
    for (const kept of this.#byEntry.get(entry) ?? []) {
      if (kept.cached === cached) return (kept.module ??= new WebAssembly.Module(cached.bytes));
    }
    return new WebAssembly.Module(cached.bytes);
  }

  /** What each machine begins with: the same for all. */
  get startModule(): WebAssembly.Module {
    return (this.#start ??= new WebAssembly.Module(startModule()));
  }

  /** The module that does one word, made once for all machines; words without one are known, too. */
  instruction(
    word: number,
    make: (word: number) => Uint8Array<ArrayBuffer> | undefined,
  ): WebAssembly.Module | undefined {
    const known = this.#instructions.get(word);
    if (known !== undefined || this.#instructions.has(word)) return known;
    const bytes = make(word);
    const module = bytes === undefined ? undefined : new WebAssembly.Module(bytes);
    if (this.#instructions.size >= mostInstructions) this.#instructions.clear();
    this.#instructions.set(word, module);
    return module;
  }

  /** Adds to how often a place was come to by programs that have ended; says how often that is. */
  visit(pc: number, count: number): number {
    if (this.#visits.size >= mostVisits) this.#visits.clear();
    const visits = (this.#visits.get(pc) ?? 0) + count;
    this.#visits.set(pc, visits);
    return visits;
  }

  /** They are translated now, or cannot be. */
  forgetVisits(places: readonly number[]): void {
    for (const place of places) this.#visits.delete(place);
  }

  /** All of it, to be stored. */
  list(): readonly CachedModule[] {
    return [...this.#kept].map(({ cached }) => cached);
  }

  #remove(kept: Kept): void {
    this.#kept.delete(kept);
    this.#bytes -= sizeOf(kept.cached);
    for (const entry of kept.cached.entries) {
      const those = this.#byEntry.get(entry);
      those?.delete(kept);
      if (those?.size === 0) this.#byEntry.delete(entry);
    }
  }
}

function sizeOf({ bytes, pages }: CachedModule): number {
  return pages.reduce((total, page) => total + page.bytes.length, bytes.length);
}
