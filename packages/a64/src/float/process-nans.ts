import { floatFlag, usesDefaultNan } from './float-environment.ts';
import { floatFormats } from './float-format.ts';
import type { FloatType } from './float-type.ts';
import type { Unpacked } from './unpack-float.ts';

/**
 * The result where an operand is a NaN: the first signalling one, else the first quiet one, made
 * quiet; undefined where none is (Arm ARM, `FPProcessNaNs`).
 */
export function processNans(
  operands: readonly (readonly [bits: bigint, unpacked: Unpacked])[],
  { width, env }: FloatType,
): bigint | undefined {
  const format = floatFormats[width];
  const found =
    operands.find(([, { kind }]) => kind === 'signalling') ??
    operands.find(([, { kind }]) => kind === 'quiet');
  if (found === undefined) return undefined;
  if (found[1].kind === 'signalling') env.raise(floatFlag.invalid);
  return usesDefaultNan(env) ? format.defaultNan : found[0] | format.quietBit;
}

/** The result of an operation that has none. */
export function invalid({ width, env }: FloatType): bigint {
  env.raise(floatFlag.invalid);
  return floatFormats[width].defaultNan;
}
