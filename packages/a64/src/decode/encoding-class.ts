import { TaplineError } from '@tapline/base';
import type { Instruction } from '../instruction.ts';

type FieldOf<Token extends string> = Token extends `${infer Name}:${number}`
  ? Name
  : Token extends `0${string}` | `1${string}`
    ? never
    : Token;

type FieldsOf<Bits extends string> = Bits extends `${infer Token} ${infer Rest}`
  ? FieldOf<Token> | FieldsOf<Rest>
  : FieldOf<Bits>;

/** One row of the tables in the Arm ARM's "A64 instruction set encoding": words of one layout. */
export interface EncodingClass {
  /** Its title there. */
  readonly name: string;
  /** A word belongs to the class when its bits under `mask` are `value`. */
  readonly mask: number;
  readonly value: number;
  /** Undefined for what is unallocated, or is of a later architecture. */
  readonly decode: (word: number) => Instruction | undefined;
}

/**
 * A class from its diagram: literal bits, `name` for one bit, `name:n` for n bits, from bit 31
 * down. `read` gets the fields.
 */
export function encodingClass<const Bits extends string>(
  name: string,
  bits: Bits,
  read: (fields: Readonly<Record<FieldsOf<Bits>, number>>) => Instruction | undefined,
): EncodingClass {
  let at = 32;
  let mask = 0;
  let value = 0;
  const fields: { readonly name: string; readonly shift: number; readonly mask: number }[] = [];
  for (const token of bits.split(' ')) {
    if (/^[01]+$/.test(token)) {
      at -= token.length;
      mask |= (2 ** token.length - 1) << at;
      value |= Number.parseInt(token, 2) << at;
    } else {
      const [field = '', width = '1'] = token.split(':');
      at -= Number(width);
      fields.push({ name: field, shift: at, mask: 2 ** Number(width) - 1 });
    }
  }
  if (at !== 0) {
    throw new TaplineError('a64_encoding', `the layout of ${name} has ${32 - at} bits, not 32`);
  }
  return {
    name,
    mask: mask >>> 0,
    value: value >>> 0,
    decode: (word) => {
      const values: Record<string, number> = {};
      for (const field of fields) values[field.name] = (word >>> field.shift) & field.mask;
      return read(values as Record<FieldsOf<Bits>, number>);
    },
  };
}
