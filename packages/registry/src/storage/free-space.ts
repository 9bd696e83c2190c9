import { statfs } from 'node:fs/promises';
import { type Clock, TaplineError } from '@tapline/base';

/** How long an answer of the file system is good for, less what was written since. */
const staleMs = 1000;

/**
 * Refuses writes before the disk is full to the last byte: the catalog and garbage collection need
 * room to make room.
 */
export class FreeSpace {
  readonly #directory: string;
  readonly #reserveBytes: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #available = 0;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(init: {
    readonly directory: string;
    readonly reserveBytes: number;
    readonly clock: Pick<Clock, 'monotonic'>;
  }) {
    this.#directory = init.directory;
    this.#reserveBytes = init.reserveBytes;
    this.#clock = init.clock;
  }

  /** Throws `storage_full` where `bytes` more would leave less than the reserve. */
  async assertRoom(bytes: number): Promise<void> {
    const isFresh = this.#clock.monotonic() - this.#askedAt < staleMs;
    if (!isFresh || this.#available - bytes < this.#reserveBytes) await this.#ask();
    if (this.#available - bytes < this.#reserveBytes) {
      throw new TaplineError(
        'storage_full',
        `the registry's disk has ${this.#available} bytes left, ${this.#reserveBytes} of them in reserve, and ${bytes} more are to be written`,
        { hint: 'free space, for example by collecting garbage, and continue the upload' },
      );
    }
    this.#available -= bytes;
  }

  /** What the file system has for the registry. */
  async available(): Promise<number> {
    await this.#ask();
    return this.#available;
  }

  async #ask(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    this.#available = bavail * bsize;
    this.#askedAt = this.#clock.monotonic();
  }
}
