import type { FileNode } from './file-node.ts';

/** What a descriptor is for. */
export type OpenFile =
  | { readonly kind: 'node'; readonly path: string; readonly node: FileNode; position: number }
  /** Bytes in, as long as there are any. */
  | { readonly kind: 'input'; readonly read: (most: number) => Uint8Array }
  | { readonly kind: 'output'; readonly write: (bytes: Uint8Array) => void };

const mostDescriptors = 1024;

/** The open files of a process by number, the lowest free one first. */
export class FileDescriptors {
  readonly #files: Map<number, OpenFile>;

  constructor(standard: readonly [OpenFile, OpenFile, OpenFile]) {
    this.#files = new Map(standard.entries());
  }

  get(number: number): OpenFile | undefined {
    return this.#files.get(number);
  }

  /** Undefined where there are as many as there may be. */
  add(file: OpenFile, lowest = 0): number | undefined {
    for (let number = lowest; number < mostDescriptors; number++) {
      if (this.#files.has(number)) continue;
      this.#files.set(number, file);
      return number;
    }
    return undefined;
  }

  /** In the place of what has this number; false where no file can have it. */
  set(number: number, file: OpenFile): boolean {
    if (number < 0 || number >= mostDescriptors) return false;
    this.#files.set(number, file);
    return true;
  }

  close(number: number): boolean {
    return this.#files.delete(number);
  }
}
