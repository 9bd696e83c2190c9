import {
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { TaplineError } from '@tapline/base';
import { assertSafeEntry, classifyWhiteout, type TarEntry, type TarEvent } from '@tapline/oci';
import type { LayerIndex } from './layer-index.ts';
import { makeDirectory } from './make-directory.ts';

type Kind = 'directory' | 'file' | 'symlink';

const createFlags =
  constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;

/**
 * Writes the entries of a layer into an empty folder that nobody else writes to. It knows each path
 * it made, so whether a parent is a real directory is a look into its own table, and no symbolic
 * link is ever followed: an entry below one is refused.
 *
 * Files belong to this process's user, are readable by all and writable by none but the owner;
 * set-user-id and set-group-id bits, owners and extended attributes are dropped, since programs run
 * without privileges to gain and in user namespaces of their own.
 *
 * Synchronous: for the small files that packages consist of, each trip through the thread pool costs
 * several times the system call.
 */
export class LayerExtractor {
  readonly #root: string;
  readonly #kinds = new Map<string, Kind>();
  readonly #removed: string[] = [];
  readonly #opaque: string[] = [];
  #bytes = 0;
  #file: { readonly descriptor: number; readonly entry: TarEntry } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** Throws `unsafe_tar_entry`. */
  take(event: TarEvent): void {
    switch (event.kind) {
      case 'entry':
        this.#entry(assertSafeEntry(event.entry));
        return;
      case 'data':
        this.#data(event.bytes);
        return;
      case 'entry-end':
        this.close();
        return;
      case 'archive-end':
    }
  }

  /** Closes the file being written, where there is one. */
  close(): void {
    if (this.#file === undefined) return;
    const { descriptor, entry } = this.#file;
    this.#file = undefined;
    // Python and make compare times.
    futimesSync(descriptor, entry.mtimeSeconds, entry.mtimeSeconds);
    closeSync(descriptor);
  }

  index(): LayerIndex {
    const directories: string[] = [];
    const leaves: string[] = [];
    for (const [path, kind] of this.#kinds) {
      (kind === 'directory' ? directories : leaves).push(path);
    }
    return {
      directories: directories.toSorted(),
      leaves,
      removed: this.#removed,
      opaque: this.#opaque,
      bytes: this.#bytes,
    };
  }

  #entry(entry: TarEntry): void {
    const { path } = entry;
    const whiteout = classifyWhiteout(path);
    switch (whiteout.kind) {
      case 'remove':
        this.#removed.push(whiteout.path);
        return;
      case 'opaque':
        this.#opaque.push(whiteout.directory);
        return;
      case 'reserved':
        return;
      case 'none':
    }
    if (path === '.') return;
    this.#parent(path);
    if (entry.kind === 'directory') this.#directory(path);
    else this.#leaf(entry);
  }

  #leaf(entry: TarEntry): void {
    const { path, linkTarget = '' } = entry;
    const known = this.#kinds.get(path);
    if (known === 'directory') throw refused(path, 'it replaces a directory of the same layer');
    const target = join(this.#root, path);
    if (known !== undefined) rmSync(target);
    if (entry.kind === 'symlink') {
      symlinkSync(linkTarget, target);
      this.#kinds.set(path, 'symlink');
      return;
    }
    if (entry.kind === 'hardlink') {
      const linked = this.#kinds.get(linkTarget);
      if (linked !== 'file') {
        throw refused(path, `its hard link target ${linkTarget} is no file of the layer so far`);
      }
      // The table says that every parent of both is a real directory.
      linkSync(join(this.#root, linkTarget), target);
      this.#kinds.set(path, linked);
      return;
    }
    const mode = (entry.mode & 0o755) | 0o444;
    const descriptor = openSync(target, createFlags, 0o600);
    this.#file = { descriptor, entry };
    fchmodSync(descriptor, mode);
    this.#kinds.set(path, 'file');
    this.#bytes += entry.size;
  }

  #data(bytes: Uint8Array): void {
    // Content of an entry that left no file, such as a whiteout's.
    if (this.#file === undefined) return;
    for (let offset = 0; offset < bytes.length;) {
      offset += writeSync(this.#file.descriptor, bytes, offset);
    }
  }

  #directory(path: string): void {
    const known = this.#kinds.get(path);
    if (known === 'directory') return;
    if (known !== undefined) rmSync(join(this.#root, path));
    makeDirectory(join(this.#root, path));
    this.#kinds.set(path, 'directory');
  }

  /** Archives may leave out directories; what is there has to be one, and not a link to one. */
  #parent(path: string): void {
    const parent = dirname(path);
    if (parent === '.') return;
    const known = this.#kinds.get(parent);
    if (known === 'directory') return;
    if (known !== undefined) throw refused(path, `${parent} is a ${known}, not a directory`);
    this.#parent(parent);
    this.#directory(parent);
  }
}

function refused(path: string, why: string): TaplineError {
  return new TaplineError(
    'unsafe_tar_entry',
    `tar entry ${JSON.stringify(path.slice(0, 300))} is refused: ${why}`,
    { details: { path } },
  );
}
