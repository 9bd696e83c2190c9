import { statfs } from 'node:fs/promises';
import { formatBytes, TaplineError } from '@tapline/base';

export interface DiskBudgetInit {
  /** A folder on the file system concerned. */
  readonly path: string;
  /** Bytes to leave free whatever happens, so that the machine goes on. */
  readonly floorBytes: number;
  /** Bytes that may be used in all, where there is such a bound, and how many are. */
  readonly quota?: { readonly bytes: number; readonly used: () => Promise<number> };
  /** Free bytes of the file system; the kernel's word unless given. */
  readonly freeBytes?: (path: string) => Promise<number>;
}

/** Bytes set aside. Disposing gives back what was not written. */
export interface DiskReservation extends Disposable {
  readonly remainingBytes: number;
  /** Says that `bytes` of it are on the disk now, so that they do not count twice. */
  wrote(bytes: number): void;
}

/**
 * Admission before a fetch: a device takes on nothing that cannot fit, and two fetches do not count
 * on the same free bytes.
 */
export class DiskBudget {
  readonly #init: DiskBudgetInit;
  readonly #reservations = new Set<{ bytes: number }>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(init: DiskBudgetInit) {
    this.#init = init;
  }

  /** Bytes that a reservation could get now; negative below the floor. */
  async available(): Promise<number> {
    const { path, floorBytes, quota, freeBytes = freeBytesOf } = this.#init;
    const free = (await freeBytes(path)) - floorBytes;
    const within = quota === undefined ? Infinity : quota.bytes - (await quota.used());
    return Math.min(free, within) - this.reservedBytes;
  }

  get reservedBytes(): number {
    let total = 0;
    for (const { bytes } of this.#reservations) total += bytes;
    return total;
  }

  /** Throws `insufficient_storage` with `neededBytes`, `availableBytes` and `path` in its details. */
  async reserve(bytes: number): Promise<DiskReservation> {
    // One after the other: what the first gets, the second must see.
    const turn = this.#queue.then(() => this.#reserve(bytes));
    this.#queue = turn.catch(() => {});
    return await turn;
  }

  async #reserve(bytes: number): Promise<DiskReservation> {
    const availableBytes = Math.max(await this.available(), 0);
    const { path } = this.#init;
    if (bytes > availableBytes) {
      throw new TaplineError(
        'insufficient_storage',
        `${formatBytes(bytes)} are needed at ${path}, ${formatBytes(availableBytes)} are available`,
        {
          details: { neededBytes: bytes, availableBytes, path },
          hint: 'remove packages that are not needed, or raise the quota',
        },
      );
    }
    const reserved = { bytes };
    const reservations = this.#reservations;
    reservations.add(reserved);
    return {
      get remainingBytes() {
        return reserved.bytes;
      },
      wrote(written) {
        reserved.bytes = Math.max(reserved.bytes - written, 0);
      },
      [Symbol.dispose]() {
        reservations.delete(reserved);
      },
    };
  }
}

async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
