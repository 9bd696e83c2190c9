import type { FloatWidth } from '../floating-instruction.ts';

/** An IEEE 754 binary format. */
export interface FloatFormat {
  readonly width: FloatWidth;
  /** Bits of the fraction, without the implicit one. */
  readonly fraction: number;
  readonly exponent: number;
  readonly bias: number;
  readonly infinity: bigint;
  readonly signBit: bigint;
  /** The bit that tells quiet from signalling. */
  readonly quietBit: bigint;
  readonly defaultNan: bigint;
  readonly largest: bigint;
}

function format(width: FloatWidth, fraction: number): FloatFormat {
  const exponent = width - fraction - 1;
  const infinity = ((1n << BigInt(exponent)) - 1n) << BigInt(fraction);
  const quietBit = 1n << BigInt(fraction - 1);
  return {
    width,
    fraction,
    exponent,
    bias: 2 ** (exponent - 1) - 1,
    infinity,
    signBit: 1n << BigInt(width - 1),
    quietBit,
    defaultNan: infinity | quietBit,
    largest: infinity - 1n,
  };
}

export const floatFormats: Readonly<Record<FloatWidth, FloatFormat>> = {
  16: format(16, 10),
  32: format(32, 23),
  64: format(64, 52),
};
