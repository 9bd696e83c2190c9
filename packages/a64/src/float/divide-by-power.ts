import type { Rounding } from '../floating-instruction.ts';

/**
 * A magnitude divided by 2^`power` and rounded; `negative` is the sign of what it is the magnitude
 * of, which rounding up and down depend on.
 */
export function divideByPower(
  magnitude: bigint,
  how: {
    readonly power: number;
    readonly negative: boolean;
    readonly rounding: Rounding | 'odd';
  },
): { readonly quotient: bigint; readonly inexact: boolean } {
  const { power, negative, rounding } = how;
  if (power <= 0) return { quotient: magnitude << BigInt(-power), inexact: false };
  const shift = BigInt(power);
  const floor = magnitude >> shift;
  const rest = magnitude - (floor << shift);
  if (rest === 0n) return { quotient: floor, inexact: false };
  const half = 1n << (shift - 1n);
  return { quotient: adjust(floor, { rest, half, negative, rounding }), inexact: true };
}

function adjust(
  floor: bigint,
  left: {
    readonly rest: bigint;
    readonly half: bigint;
    readonly negative: boolean;
    readonly rounding: Rounding | 'odd';
  },
): bigint {
  const { rest, half, negative, rounding } = left;
  switch (rounding) {
    case 'even':
      return rest > half || (rest === half && (floor & 1n) === 1n) ? floor + 1n : floor;
    case 'away':
      return rest >= half ? floor + 1n : floor;
    case 'up':
      return negative ? floor : floor + 1n;
    case 'down':
      return negative ? floor + 1n : floor;
    case 'zero':
      return floor;
    case 'odd':
      return floor | 1n;
  }
}
