import { TaplineError } from '@tapline/base';
import {
  bottleEntry,
  needsRelocation,
  relocateFile,
  type RelocatedFile,
  sniffBytes,
  type Tab,
} from '@tapline/brew';
import { encodeTarEntry, type TarEntry, tarPadding, tarTrailer } from '@tapline/oci';
import { KegContents } from './keg-contents.ts';
import type { LayerRecord } from './layer-record.ts';
import type { LayerSink } from './layer-sink.ts';
import { readBottle } from './read-bottle.ts';

export interface FormulaLayerInput {
  readonly formula: string;
  readonly pkgVersion: string;
  /** Names of dependencies, direct or not. */
  readonly dependencies: readonly string[];
  readonly tab: Tab;
  /** Where the bottle lies, verified. */
  readonly bottlePath: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Pours a bottle into a layer below the Cellar. Files pass through; only one that relocation has to
 * see is in memory at a time. Throws `unsafe_tar_entry`, `bottle_corrupt`.
 */
export async function buildFormulaLayer(
  sink: LayerSink,
  input: FormulaLayerInput,
): Promise<LayerRecord> {
  const pouring = new Pouring(input);
  const blob = await sink.write(pouring.tar(), { signal: input.signal });
  return { ...blob, ...pouring.facts() };
}

/** Larger files are not read into memory; none that needs relocation comes near. */
const maxHeldBytes = 1024 * 1024 * 1024;

interface OpenFile {
  readonly path: string;
  readonly entry: TarEntry;
  /** Whether its bytes wait for a decision, for the rest of the file, or for nothing. */
  state: 'undecided' | 'held' | 'passing';
  held: Uint8Array[];
  heldBytes: number;
}

class Pouring {
  readonly #input: FormulaLayerInput;
  readonly #contents: KegContents;
  readonly #needed = new Set<string>();
  readonly #sonames = new Set<string>();
  readonly #notRelocated: { readonly path: string; readonly reason: string }[] = [];
  #unpackedSize = 0;
  #file: OpenFile | undefined;

  constructor(input: FormulaLayerInput) {
    this.#input = input;
    this.#contents = new KegContents(input);
  }

  async *tar(): AsyncGenerator<Uint8Array, void> {
    for await (const event of readBottle(this.#input.bottlePath, this.#input)) {
      switch (event.kind) {
        case 'entry':
          yield* this.#begin(event.entry);
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
    yield tarTrailer();
  }

  facts(): Pick<LayerRecord, 'unpackedSize' | 'fileCount' | 'entries' | 'needed' | 'notRelocated'> {
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

  *#begin(raw: TarEntry): Generator<Uint8Array, void> {
    const placed = bottleEntry(raw, this.#input);
    if (placed === undefined) return;
    const before = this.#contents.add(placed);
    if (before === undefined) return;
    for (const directory of before) yield encodeTarEntry(directory);
    const { path, entry } = placed;
    if (entry.kind !== 'file' || entry.size === 0) yield encodeTarEntry(entry);
    else this.#file = { path, entry, state: 'undecided', held: [], heldBytes: 0 };
  }

  *#take(bytes: Uint8Array): Generator<Uint8Array, void> {
    const file = this.#file;
    if (file === undefined) return;
    if (file.state === 'passing') {
      yield bytes;
      return;
    }
    file.held.push(bytes);
    file.heldBytes += bytes.length;
    if (file.heldBytes > maxHeldBytes) {
      throw new TaplineError(
        'bottle_file_too_large',
        `${file.path} of ${this.#input.formula} exceeds ${maxHeldBytes} bytes, the most that is relocated`,
        { details: { path: file.path, formula: this.#input.formula, maxBytes: maxHeldBytes } },
      );
    }
    if (file.state !== 'undecided') return;
    if (file.heldBytes < Math.min(file.entry.size, sniffBytes)) return;
    const start = Buffer.concat(file.held);
    if (needsRelocation({ path: file.path, tab: this.#input.tab, start })) {
      file.state = 'held';
      return;
    }
    file.state = 'passing';
    yield encodeTarEntry(file.entry);
    yield start;
    file.held = [];
  }

  *#end(): Generator<Uint8Array, void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    let { size } = file.entry;
    if (file.state === 'held') {
      const relocated = this.#relocate(file);
      size = relocated.bytes.length;
      yield encodeTarEntry({ ...file.entry, size });
      yield relocated.bytes;
    }
    this.#unpackedSize += size;
    yield tarPadding(size);
  }

  #relocate(file: OpenFile): RelocatedFile {
    const { formula, dependencies, tab } = this.#input;
    const bytes = Buffer.concat(file.held);
    const relocated = relocateFile({ path: file.path, bytes, formula, dependencies, tab });
    for (const soname of relocated.needed) this.#needed.add(soname);
    if (relocated.soname !== undefined) this.#sonames.add(relocated.soname);
    if (relocated.refused !== undefined) {
      this.#notRelocated.push({ path: file.path, reason: relocated.refused });
    }
    return relocated;
  }
}
