import { errno, LinuxError } from '../errno.ts';

/** Bytes that guests may have in files of their own; what comes from layers is not counted. */
export class StorageBudget {
  readonly limit: number;
  #used = 0;
  /** How often there was no room. */
  refused = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): void {
    if (this.#used + bytes > this.limit) {
      this.refused++;
      throw new LinuxError(errno.noSpace);
    }
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
