import { TaplineError } from '@tapline/base';
import {
  bottleEntry,
  needsRelocation,
  relocateFile,
  type RelocatedFile,
  sniffBytes,
  type Tab,
} from '@tapline/brew';
import { encodeTarEntry, type TarEntry, type TarEvent, tarPadding, tarTrailer } from '@tapline/oci';
import { KegContents } from '../keg-contents.ts';
import type { KegFacts } from '../layer-record.ts';
import { sameRuns } from './same-runs.ts';
import type { TarPart } from './tar-part.ts';

export interface PouredFormula {
  readonly formula: string;
  readonly pkgVersion: string;
  /** Names of dependencies, direct or not. */
  readonly dependencies: readonly string[];
  readonly tab: Tab;
}

/** Larger files are not read into memory; none that needs relocation comes near. */
const maxHeldBytes = 1024 * 1024 * 1024;

interface OpenFile {
  readonly path: string;
  readonly entry: TarEntry;
  /** Where its content begins in the unpacked bottle. */
  readonly source: number;
  /** Whether its bytes wait for a decision, for the rest of the file, or for nothing. */
  state: 'undecided' | 'held' | 'passing';
  /** Bytes of it that came. */
  taken: number;
}

/**
 * Pours a bottle into the tar of a layer below the Cellar. Files pass through; only one that relocation
 * has to see is in memory at a time. Throws `unsafe_tar_entry`, `bottle_corrupt`.
 */
export class KegPouring {
  readonly #input: PouredFormula;
  readonly #contents: KegContents;
  readonly #needed = new Set<string>();
  readonly #sonames = new Set<string>();
  readonly #notRelocated: { readonly path: string; readonly reason: string }[] = [];
  #unpackedSize = 0;
  #file: OpenFile | undefined;
  /** The start of the open file, in memory that stays from file to file. */
  #held = Buffer.alloc(64 * 1024);

  constructor(input: PouredFormula) {
    this.#input = input;
    this.#contents = new KegContents(input);
  }

  *tar(events: Iterable<TarEvent>): Generator<TarPart, void> {
    for (const event of events) {
      switch (event.kind) {
        case 'entry':
          yield* this.#begin(event.entry, event.contentOffset);
          break;
        case 'data':
          yield* this.#take(event.bytes);
          break;
        case 'entry-end':
          yield* this.#end();
          break;
        case 'archive-end':
          break;
      }
    }
    if (this.#contents.entries.length === 0) {
      throw new TaplineError('bottle_corrupt', `bottle of ${this.#input.formula} has no files`);
    }
    yield { bytes: tarTrailer() };
  }

  facts(): KegFacts {
    const { entries } = this.#contents;
    const own = new Set(entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)));
    return {
      unpackedSize: this.#unpackedSize,
      fileCount: entries.length,
      entries,
      needed: [...this.#needed]
        .filter((soname) => !own.has(soname) && !this.#sonames.has(soname))
        .toSorted(),
      notRelocated: this.#notRelocated,
    };
  }

  *#begin(raw: TarEntry, source: number): Generator<TarPart, void> {
    const placed = bottleEntry(raw, this.#input);
    if (placed === undefined) return;
    const before = this.#contents.add(placed);
    if (before === undefined) return;
    for (const directory of before) yield { bytes: encodeTarEntry(directory) };
    const { path, entry } = placed;
    if (entry.kind !== 'file' || entry.size === 0) yield { bytes: encodeTarEntry(entry) };
    else this.#file = { path, entry, source, state: 'undecided', taken: 0 };
  }

  *#take(bytes: Uint8Array): Generator<TarPart, void> {
    const file = this.#file;
    if (file === undefined) return;
    const source = file.source + file.taken;
    if (file.state !== 'passing') this.#hold(file, bytes);
    file.taken += bytes.length;
    if (file.state === 'passing') yield { bytes, source };
    if (file.state !== 'undecided') return;
    if (file.taken < Math.min(file.entry.size, sniffBytes)) return;
    const start = this.#held.subarray(0, file.taken);
    if (needsRelocation({ path: file.path, tab: this.#input.tab, start })) {
      file.state = 'held';
      return;
    }
    file.state = 'passing';
    yield { bytes: encodeTarEntry(file.entry) };
    yield { bytes: start, source: file.source };
  }

  #hold({ path, taken }: OpenFile, bytes: Uint8Array): void {
    const size = taken + bytes.length;
    if (size > maxHeldBytes) {
      throw new TaplineError(
        'bottle_file_too_large',
        `${path} of ${this.#input.formula} exceeds ${maxHeldBytes} bytes, the most that is relocated`,
        { details: { path, formula: this.#input.formula, maxBytes: maxHeldBytes } },
      );
    }
    if (size > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, this.#held.length * 2));
      this.#held.copy(larger, 0, 0, taken);
      this.#held = larger;
    }
    this.#held.set(bytes, taken);
  }

  *#end(): Generator<TarPart, void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    let { size } = file.entry;
    if (file.state === 'held') {
      const before = this.#held.subarray(0, file.taken);
      const { bytes } = this.#relocate(file, before);
      size = bytes.length;
      yield { bytes: encodeTarEntry({ ...file.entry, size }) };
      for (const { from, to, isSame } of sameRuns(before, bytes)) {
        const part = bytes.subarray(from, to);
        yield isSame ? { bytes: part, source: file.source + from } : { bytes: part };
      }
    }
    this.#unpackedSize += size;
    yield { bytes: tarPadding(size) };
  }

  #relocate(file: OpenFile, bytes: Uint8Array): RelocatedFile {
    const { formula, dependencies, tab } = this.#input;
    const relocated = relocateFile({ path: file.path, bytes, formula, dependencies, tab });
    for (const soname of relocated.needed) this.#needed.add(soname);
    if (relocated.soname !== undefined) this.#sonames.add(relocated.soname);
    if (relocated.refused !== undefined) {
      this.#notRelocated.push({ path: file.path, reason: relocated.refused });
    }
    return relocated;
  }
}
