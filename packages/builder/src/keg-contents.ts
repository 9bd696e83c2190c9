import { TaplineError } from '@tapline/base';
import { type BottleEntry, cellar, type KegEntry, layerTime } from '@tapline/brew';
import type { TarEntry } from '@tapline/oci';

/**
 * The files of a layer as they come by: makes the directories that archives leave out, and refuses
 * what would be written through a link or twice.
 */
export class KegContents {
  readonly #formula: string;
  readonly #keg: string;
  readonly #entries = new Map<string, KegEntry>();
  #hasRoot = false;

  constructor(keg: { readonly formula: string; readonly pkgVersion: string }) {
    this.#formula = keg.formula;
    this.#keg = `${cellar.slice(1)}/${keg.formula}/${keg.pkgVersion}`;
  }

  get entries(): readonly KegEntry[] {
    return [...this.#entries.values()];
  }

  /** The directories to write before the entry; undefined where the entry is there already. */
  add({ path, entry }: BottleEntry): readonly TarEntry[] | undefined {
    const before = this.#addParents(path);
    if (path === '') return before.length === 0 ? undefined : before.slice(0, -1);
    const known = this.#entries.get(path);
    if (known !== undefined) {
      if (known.kind === 'directory' && entry.kind === 'directory') return undefined;
      throw this.#unsafe(path, 'is there twice');
    }
    this.#entries.set(path, this.#kegEntry(path, entry));
    return before;
  }

  #addParents(path: string): readonly TarEntry[] {
    const before: TarEntry[] = [];
    if (!this.#hasRoot) {
      this.#hasRoot = true;
      const names = this.#keg.split('/');
      before.push(...names.map((_, depth) => directory(names.slice(0, depth + 1).join('/'))));
    }
    const names = path.split('/').slice(0, -1);
    for (const depth of names.keys()) {
      const parent = names.slice(0, depth + 1).join('/');
      const known = this.#entries.get(parent);
      if (known !== undefined && known.kind !== 'directory') {
        throw this.#unsafe(path, `is below ${parent}, a ${known.kind}`);
      }
      if (known !== undefined) continue;
      this.#entries.set(parent, { kind: 'directory', path: parent });
      before.push(directory(`${this.#keg}/${parent}`));
    }
    return before;
  }

  #kegEntry(path: string, entry: TarEntry): KegEntry {
    if (entry.kind === 'directory') return { kind: 'directory', path };
    if (entry.kind === 'symlink') {
      return { kind: 'symlink', path, target: entry.linkTarget ?? '' };
    }
    if (entry.kind !== 'hardlink') {
      return { kind: 'file', path, executable: (entry.mode & 0o111) !== 0 };
    }
    const target = this.#entries.get((entry.linkTarget ?? '').slice(this.#keg.length + 1));
    if (target?.kind !== 'file') {
      throw this.#unsafe(path, `links to ${entry.linkTarget}, which is no file before it`);
    }
    return { ...target, path };
  }

  #unsafe(path: string, why: string): TaplineError {
    return new TaplineError(
      'unsafe_tar_entry',
      `bottle entry ${JSON.stringify(path)} of ${this.#formula} ${why}`,
      { details: { path, formula: this.#formula } },
    );
  }
}

function directory(path: string): TarEntry {
  return {
    kind: 'directory',
    path,
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeSeconds: layerTime,
  };
}
