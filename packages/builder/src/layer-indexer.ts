import { createHash, hash, type Hash } from 'node:crypto';
import { type IndexedPath, parseDigest, TarDecoder, type TarEntry } from '@tapline/oci';

interface OpenFile {
  readonly entry: TarEntry;
  readonly offset: number;
  /** Of what came in more than one part: most files come whole, and need no such object. */
  hash?: Hash;
  sha256: string;
}

const sha256OfNothing = hash('sha256', '');

/** Notes where each file of a tar lies and what its digest is, as the tar goes by. */
export class LayerIndexer {
  readonly #decoder = new TarDecoder();
  readonly #paths = new Map<string, IndexedPath>();
  #file: OpenFile | undefined;

  push(chunk: Uint8Array): void {
    for (const event of this.#decoder.push(chunk)) {
      switch (event.kind) {
        case 'entry':
          this.#begin(event.entry, event.contentOffset);
          break;
        case 'data':
          this.#take(event.bytes);
          break;
        case 'entry-end':
          this.#end();
          break;
        case 'archive-end':
          break;
      }
    }
  }

  /** In the order of the archive. */
  paths(): readonly IndexedPath[] {
    return [...this.#paths.values()];
  }

  #begin(entry: TarEntry, offset: number): void {
    const { path, linkTarget = '' } = entry;
    if (entry.kind === 'file') this.#file = { entry, offset, sha256: sha256OfNothing };
    if (entry.kind === 'symlink')
      this.#paths.set(path, { kind: 'symlink', path, target: linkTarget });
    if (entry.kind === 'hardlink') {
      const target = this.#paths.get(linkTarget);
      if (target !== undefined) this.#paths.set(path, { ...target, path });
    }
  }

  #take(bytes: Uint8Array): void {
    const file = this.#file;
    if (file === undefined) return;
    if (bytes.length === file.entry.size) {
      file.sha256 = hash('sha256', bytes);
      return;
    }
    file.hash ??= createHash('sha256');
    file.hash.update(bytes);
  }

  #end(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    const { path, size } = file.entry;
    const digest = parseDigest(`sha256:${file.hash?.digest('hex') ?? file.sha256}`);
    this.#paths.set(path, { kind: 'file', path, offset: file.offset, size, digest });
  }
}
