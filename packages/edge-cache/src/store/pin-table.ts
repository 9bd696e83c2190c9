import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TaplineError } from '@tapline/base';
import { type LineLog, openLineLog, readLines } from './line-log.ts';
import { keyParts, objectKey } from './object-key.ts';

/** Beyond, pinning is a cache of its own. */
const maxPins = 100_000;

/**
 * What is to be kept whatever else is used more: by target, so also what is not kept yet, and every
 * variant of it. With a directory it outlives a restart.
 */
export class PinTable implements AsyncDisposable {
  /** Targets as they were pinned, and the full keys of their variants. */
  readonly #keys = new Set<string>();
  #log: LineLog | undefined;

  static async open(directory: string | undefined): Promise<PinTable> {
    const table = new PinTable();
    if (directory === undefined) return table;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, 'pins.log');
    for (const line of await readLines(path)) {
      const sign = line.slice(0, 2);
      if (sign === '+ ') table.#keys.add(line.slice(2));
      else if (sign === '- ') table.#drop(line.slice(2));
    }
    const lines = [...table.#keys].map((key) => `+ ${key}`);
    table.#log = await openLineLog(path, lines);
    return table;
  }

  /** The full keys that are pinned. */
  get keys(): readonly string[] {
    return [...this.#keys];
  }

  /** Whether what is kept under this full key is to stay. Notes a variant of what is pinned. */
  covers(key: string): boolean {
    if (this.#keys.size === 0) return false;
    if (this.#keys.has(key)) return true;
    const { channel, target } = keyParts(key);
    if (!this.#keys.has(objectKey(channel, target))) return false;
    this.#keys.add(key);
    // It would be noted again after a crash, when it is next kept.
    this.#log?.append(`+ ${key}`).catch(() => undefined);
    return true;
  }

  /** Resolves when it outlives a crash. Throws `too_many_pins`. */
  async pin(primary: string): Promise<void> {
    if (this.#keys.has(primary)) return;
    if (this.#keys.size >= maxPins) {
      throw new TaplineError('too_many_pins', `${maxPins} objects are pinned, the limit`, {
        hint: 'unpin some, or give the edge more room and pin nothing',
      });
    }
    this.#keys.add(primary);
    await this.#log?.append(`+ ${primary}`);
  }

  /** Answers the full keys that are no longer pinned. */
  async unpin(primary: string): Promise<readonly string[]> {
    const dropped = this.#drop(primary);
    if (dropped.length > 0) await this.#log?.append(`- ${primary}`);
    return dropped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log?.[Symbol.asyncDispose]();
  }

  #drop(primary: string): readonly string[] {
    const dropped = this.keys.filter((key) => key === primary || key.startsWith(`${primary} `));
    for (const key of dropped) this.#keys.delete(key);
    return dropped;
  }
}
