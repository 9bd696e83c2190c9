import { createHash, type Hash } from 'node:crypto';
import { type IndexedPath, parseDigest, TarDecoder, type TarEntry } from '@tapline/oci';

interface OpenFile {
  readonly entry: TarEntry;
  readonly offset: number;
  readonly hash: Hash;
}

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
          this.#file?.hash.update(event.bytes);
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
    if (entry.kind === 'file') this.#file = { entry, offset, hash: createHash('sha256') };
    if (entry.kind === 'symlink')
      this.#paths.set(path, { kind: 'symlink', path, target: linkTarget });
    if (entry.kind === 'hardlink') {
      const target = this.#paths.get(linkTarget);
      if (target !== undefined) this.#paths.set(path, { ...target, path });
    }
  }

  #end(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    const { path, size } = file.entry;
    const digest = parseDigest(`sha256:${file.hash.digest('hex')}`);
    this.#paths.set(path, { kind: 'file', path, offset: file.offset, size, digest });
  }
}
