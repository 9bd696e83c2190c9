import { guestPageSize } from '@tapline/a64';
import { errno, LinuxError } from '../errno.ts';

/** Pages that all guests of one kernel may use together. */
export class MemoryBudget {
  readonly limit: number;
  #used = 0;
  /** How often there was none left. */
  refused = 0;

  /** `limit` is in bytes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  takePages(pages: number): void {
    const bytes = pages * guestPageSize;
    if (bytes > 0 && this.#used + bytes > this.limit) {
      this.refused++;
      throw new LinuxError(errno.noMemory);
    }
    this.#used += bytes;
  }
}
