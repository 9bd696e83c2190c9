import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '@tapline/base';

/** A read that took longer came from the disk and not from memory. */
const slowMs = 2;
/** How long reads then leave the main thread. */
const asideMs = 1000;

/**
 * Reads files as fast as where they are allows. What the system has in memory is copied at once, within
 * the call: handing it to another thread costs more than the copy. Nobody tells beforehand what is in
 * memory, so time does: after a slow read the next ones go aside for a second and hold up nobody.
 */
export class FileReads {
  readonly #clock: Clock;
  #asideUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Fills `into` from `position` on; answers how much there was. */
  read(file: FileHandle, into: Buffer, position: number): number | Promise<number> {
    const from = this.#clock.monotonic();
    if (from < this.#asideUntil) return readAside(file, into, position);
    let at = 0;
    while (at < into.length) {
      const read = readSync(file.fd, into, at, into.length - at, position + at);
      if (read === 0) break;
      at += read;
    }
    const now = this.#clock.monotonic();
    if (now - from > slowMs) this.#asideUntil = now + asideMs;
    return at;
  }
}

/** The same by a thread of the system's pool. */
export async function readAside(file: FileHandle, into: Buffer, position: number): Promise<number> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}
