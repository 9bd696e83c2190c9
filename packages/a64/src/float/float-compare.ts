import { floatFlag } from './float-environment.ts';
import { floatFormats } from './float-format.ts';
import type { FloatType } from './float-type.ts';
import { processNans } from './process-nans.ts';
import { isNan, unpackFloat, type Unpacked } from './unpack-float.ts';

/** How two numbers compare; a NaN with nothing. */
export type Order = 'less' | 'equal' | 'greater' | 'unordered';

/** Raises `invalid` for signalling NaNs, with `signalling` for quiet ones, too. */
export function floatCompare(
  a: bigint,
  b: bigint,
  type: FloatType & { readonly signalling: boolean },
): Order {
  const left = unpackFloat(a, type);
  const right = unpackFloat(b, type);
  if (isNan(left) || isNan(right)) {
    if (type.signalling || left.kind === 'signalling' || right.kind === 'signalling') {
      type.env.raise(floatFlag.invalid);
    }
    return 'unordered';
  }
  return order(left, right);
}

function order(a: Unpacked, b: Unpacked): Order {
  if (a.kind === 'zero' && b.kind === 'zero') return 'equal';
  const left = scaled(a, b);
  const right = scaled(b, a);
  return left < right ? 'less' : left > right ? 'greater' : 'equal';
}

/** Beyond every finite number of a format, scaled to the least exponent of any. */
const beyond = 1n << 4096n;

function scaled(value: Unpacked, other: Unpacked): bigint {
  const magnitude =
    value.kind === 'infinity'
      ? beyond
      : value.kind === 'zero'
        ? 0n
        : value.mantissa << BigInt(Math.max(value.exponent - exponentOf(other, value), 0));
  return value.negative ? -magnitude : magnitude;
}

function exponentOf(other: Unpacked, value: Unpacked): number {
  return other.kind === 'finite' ? Math.min(other.exponent, value.exponent) : value.exponent;
}

export interface MostOrLeast extends FloatType {
  readonly most: boolean;
}

/** FMAX and FMIN: a NaN comes out; of zeros the positive one is more. */
export function floatMost(a: bigint, b: bigint, how: MostOrLeast): bigint {
  const left = unpackFloat(a, how);
  const right = unpackFloat(b, how);
  const nan = processNans(
    [
      [a, left],
      [b, right],
    ],
    how,
  );
  if (nan !== undefined) return nan;
  const { signBit } = floatFormats[how.width];
  if (left.kind === 'zero' && right.kind === 'zero') {
    const negative = how.most ? left.negative && right.negative : left.negative || right.negative;
    return negative ? signBit : 0n;
  }
  const greater = order(left, right) === 'greater';
  const [chosen, bits] = greater === how.most ? [left, a] : [right, b];
  // A denormal that was flushed comes out as the zero it was taken for.
  if (chosen.kind === 'zero') return chosen.negative ? signBit : 0n;
  return bits;
}

/** FMAXNM and FMINNM: a number wins over a quiet NaN. */
export function floatMostNumber(a: bigint, b: bigint, how: MostOrLeast): bigint {
  const { infinity, signBit } = floatFormats[how.width];
  const left = unpackFloat(a, how);
  const right = unpackFloat(b, how);
  const losing = how.most ? infinity | signBit : infinity;
  if (left.kind === 'quiet' && !isNan(right)) return floatMost(losing, b, how);
  if (right.kind === 'quiet' && !isNan(left)) return floatMost(a, losing, how);
  return floatMost(a, b, how);
}
