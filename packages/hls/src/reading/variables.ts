import type { Reading } from './reading.ts';

// As long as a line may be: a long value used often must not become a page of memory each.
const maxReplacedLength = 16 * 1024;

/** Variables of EXT-X-DEFINE (RFC 8216bis §4.3). */
export class Variables {
  readonly #values = new Map<string, string>();
  readonly #imported: Readonly<Record<string, string>>;
  readonly #query: ReadonlyMap<string, string>;

  constructor(init: {
    /** Those of the multivariant playlist, which a media playlist may import. */
    readonly imported: Readonly<Record<string, string>>;
    /** Of the playlist's own address. */
    readonly query: ReadonlyMap<string, string>;
  }) {
    this.#imported = init.imported;
    this.#query = init.query;
  }

  define(name: string, value: string): void {
    this.#values.set(name, value);
  }

  imported(name: string): string | undefined {
    return Object.hasOwn(this.#imported, name) ? this.#imported[name] : undefined;
  }

  queryParameter(name: string): string | undefined {
    return this.#query.get(name);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  all(): Record<string, string> {
    return Object.fromEntries(this.#values);
  }

  /** `text` with every `{$name}` replaced, once: values are not looked into. */
  replace(text: string, reading: Reading): string {
    if (!text.includes('{$')) return text;
    const replaced = text.replaceAll(/\{\$([A-Za-z0-9_-]+)\}/g, (whole, name: string) => {
      const value = this.#values.get(name);
      if (value === undefined) reading.fail('variable-undefined', `${whole} is not defined`);
      return value ?? whole;
    });
    if (replaced.length <= maxReplacedLength) return replaced;
    reading.fail('tag-invalid', `variables make ${replaced.length} characters of a value`);
    return text;
  }
}
