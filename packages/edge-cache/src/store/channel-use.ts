import { keyParts } from './object-key.ts';

/** What channels have in memory, and in which order it came where a channel has a limit. */
export class ChannelUse {
  readonly #limitOf: (channel: string) => number;
  readonly #channels = new Map<string, { bytes: number; readonly sizes: Map<string, number> }>();

  /** A limit of 0 is none. */
  constructor({ limitOf }: { readonly limitOf: (channel: string) => number }) {
    this.#limitOf = limitOf;
  }

  bytesOf(channel: string): number {
    return this.#channels.get(channel)?.bytes ?? 0;
  }

  /** Whether something of that size is within its channel's limit at all. */
  admits(key: string, size: number): boolean {
    const limit = this.#limitOf(keyParts(key).channel);
    return limit === 0 || size <= limit;
  }

  added(key: string, size: number): void {
    const { channel } = keyParts(key);
    const use = this.#channels.get(channel) ?? { bytes: 0, sizes: new Map<string, number>() };
    this.#channels.set(channel, use);
    use.bytes += size;
    use.sizes.set(key, size);
  }

  removed(key: string): void {
    const { channel } = keyParts(key);
    const use = this.#channels.get(channel);
    const size = use?.sizes.get(key);
    if (use === undefined || size === undefined) return;
    use.bytes -= size;
    use.sizes.delete(key);
    if (use.sizes.size === 0) this.#channels.delete(channel);
  }

  /**
   * What of the key's channel has to go so that the channel is within its limit: the oldest that was
   * not used since it was last looked at (a second chance, as SIEVE gives). The key itself stays.
   */
  excess(key: string, wasUsed: (key: string) => boolean): readonly string[] {
    const { channel } = keyParts(key);
    const limit = this.#limitOf(channel);
    const use = this.#channels.get(channel);
    if (limit === 0 || use === undefined) return [];
    const goes: string[] = [];
    let { bytes } = use;
    // Each is looked at twice at the most: the second time it was not used since.
    for (let looks = 2 * use.sizes.size; bytes > limit && looks > 0; looks -= 1) {
      const [oldest] = use.sizes;
      if (oldest === undefined) break;
      const [name, size] = oldest;
      use.sizes.delete(name);
      if (name === key || wasUsed(name)) use.sizes.set(name, size);
      else {
        bytes -= size;
        goes.push(name);
      }
    }
    use.bytes = bytes;
    return goes;
  }
}
