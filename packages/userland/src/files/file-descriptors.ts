import { errno, LinuxError } from '../errno.ts';
import type { OpenFile } from './open-file.ts';

interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** The open files of a process by number, the lowest free one first. */
export class FileDescriptors {
  readonly #files: Map<number, Descriptor> = new Map();
  limit = 1024;

  get(number: number): OpenFile {
    return this.#find(number).file;
  }

  has(number: number): boolean {
    return this.#files.has(number);
  }

  add(
    file: OpenFile,
    how: { readonly lowest?: number; readonly closeOnExec?: boolean } = {},
  ): number {
    for (let number = how.lowest ?? 0; number < this.limit; number++) {
      if (this.#files.has(number)) continue;
      this.#put(number, { file, closeOnExec: how.closeOnExec ?? false });
      return number;
    }
    if (file.references === 0) file.close?.();
    throw new LinuxError(errno.tooManyFiles);
  }

  /** In the place of what has this number. */
  set(number: number, file: OpenFile, how: { readonly closeOnExec?: boolean } = {}): void {
    if (number < 0 || number >= this.limit) throw new LinuxError(errno.badDescriptor);
    // First the new one: it may be the same file.
    file.references++;
    if (this.#files.has(number)) this.close(number);
    file.references--;
    this.#put(number, { file, closeOnExec: how.closeOnExec ?? false });
  }

  close(number: number): OpenFile {
    const { file } = this.#find(number);
    this.#files.delete(number);
    file.references--;
    if (file.references === 0) file.close?.();
    return file;
  }

  closeOnExec(number: number): boolean {
    return this.#find(number).closeOnExec;
  }

  setCloseOnExec(number: number, value: boolean): void {
    this.#find(number).closeOnExec = value;
  }

  numbers(): readonly number[] {
    return [...this.#files.keys()].toSorted((a, b) => a - b);
  }

  /** For a child: the same open files under the same numbers. */
  copy(): FileDescriptors {
    const copy = new FileDescriptors();
    copy.limit = this.limit;
    for (const [number, descriptor] of this.#files) copy.#put(number, { ...descriptor });
    return copy;
  }

  closeAll(which: 'all' | 'on-exec'): readonly OpenFile[] {
    const closed = this.numbers().filter((number) => which === 'all' || this.closeOnExec(number));
    return closed.map((number) => this.close(number));
  }

  #put(number: number, descriptor: Descriptor): void {
    descriptor.file.references++;
    this.#files.set(number, descriptor);
  }

  #find(number: number): Descriptor {
    const found = this.#files.get(number);
    if (found === undefined) throw new LinuxError(errno.badDescriptor);
    return found;
  }
}
