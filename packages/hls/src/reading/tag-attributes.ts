import { type AttributeValue, parseAttributes } from './parse-attributes.ts';
import { parseDecimal, parseInteger, parseSignedDecimal } from './parse-number.ts';
import type { Reading } from './reading.ts';
import type { Variables } from './variables.ts';

/** The attributes of one tag; what is wrong with them is noted where it is asked for. */
export class TagAttributes {
  readonly #tag: string;
  readonly #reading: Reading;
  readonly #variables: Variables;
  readonly #attributes: ReadonlyMap<string, AttributeValue>;

  constructor(
    tag: { readonly name: string; readonly value: string },
    context: { readonly reading: Reading; readonly variables: Variables },
  ) {
    this.#tag = tag.name;
    this.#reading = context.reading;
    this.#variables = context.variables;
    const { attributes, malformed } = parseAttributes(tag.value);
    this.#attributes = attributes;
    if (malformed !== undefined) {
      const message = `${tag.name}: "${malformed}" is no attribute NAME=VALUE`;
      context.reading.fail('attributes-malformed', message);
    }
  }

  /** Each attribute as it stands there, quotes and all. */
  raw(): Record<string, string> {
    return Object.fromEntries(
      [...this.#attributes].map(([name, { text, quoted }]) => [name, quoted ? `"${text}"` : text]),
    );
  }

  /** Whether it is there, and in quotes. */
  isQuoted(name: string): boolean {
    return this.#attributes.get(name)?.quoted === true;
  }

  /** A quoted string, with its variables replaced. */
  string(name: string): string | undefined {
    const value = this.#attributes.get(name);
    if (value === undefined) return undefined;
    if (!value.quoted) return this.#refuse(name, value.text, 'a string in quotes');
    return this.#variables.replace(value.text, this.#reading);
  }

  /** A quoted string that must be there and not be empty. */
  requiredString(name: string): string | undefined {
    if (!this.#attributes.has(name)) return this.#missing(name);
    const text = this.string(name);
    return text === '' ? this.#refuse(name, text, 'not empty') : text;
  }

  /** An enumerated string: no quotes. */
  word(name: string): string | undefined {
    const value = this.#attributes.get(name);
    if (value === undefined) return undefined;
    return value.quoted || value.text === ''
      ? this.#refuse(name, value.text, 'a word without quotes')
      : value.text;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    if (!this.#attributes.has(name)) return this.#missing(name);
    const text = this.word(name);
    return text === undefined
      ? undefined
      : (allowed.find((one) => one === text) ??
          this.#refuse(name, text, `one of ${allowed.join(', ')}`));
  }

  /** YES or NO; absent is NO. */
  flag(name: string): boolean {
    const text = this.word(name);
    if (text !== undefined && text !== 'YES' && text !== 'NO') {
      this.#refuse(name, text, 'YES or NO');
    }
    return text === 'YES';
  }

  integer(name: string): number | undefined {
    return this.#number(name, { parse: parseInteger, expected: 'a whole number' });
  }

  decimal(name: string): number | undefined {
    return this.#number(name, { parse: parseDecimal, expected: 'a number of at least 0' });
  }

  requiredInteger(name: string): number | undefined {
    return this.#attributes.has(name) ? this.integer(name) : this.#missing(name);
  }

  requiredDecimal(name: string): number | undefined {
    return this.#attributes.has(name) ? this.decimal(name) : this.#missing(name);
  }

  requiredSignedDecimal(name: string): number | undefined {
    if (!this.#attributes.has(name)) return this.#missing(name);
    return this.#number(name, { parse: parseSignedDecimal, expected: 'a number' });
  }

  resolution(name: string): { readonly width: number; readonly height: number } | undefined {
    const text = this.word(name);
    if (text === undefined) return undefined;
    const [width, height, ...rest] = text.split('x').map(parseInteger);
    return width === undefined || height === undefined || rest.length > 0
      ? this.#refuse(name, text, 'WIDTHxHEIGHT')
      : { width, height };
  }

  /** Notes that `name` is not what it has to be. */
  #refuse(name: string, text: string, expected: string): undefined {
    const shown = `${this.#tag}: ${name}=${text.slice(0, 60)} must be ${expected}`;
    this.#reading.fail('attribute-invalid', shown);
    return undefined;
  }

  #missing(name: string): undefined {
    this.#reading.fail('attribute-missing', `${this.#tag} lacks ${name}`);
    return undefined;
  }

  #number(
    name: string,
    { parse, expected }: { parse: (text: string) => number | undefined; expected: string },
  ): number | undefined {
    const text = this.word(name);
    return text === undefined ? undefined : (parse(text) ?? this.#refuse(name, text, expected));
  }
}
