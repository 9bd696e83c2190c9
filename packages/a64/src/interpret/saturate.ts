import { floatFlag, type FloatEnvironment } from '../float/float-environment.ts';

/** The nearest signed number of `bits`, as unsigned; sets QC where it is another. */
export function saturateSigned(value: bigint, bits: number, env: FloatEnvironment): bigint {
  const most = (1n << BigInt(bits - 1)) - 1n;
  const clamped = value > most ? most : value < -most - 1n ? -most - 1n : value;
  if (clamped !== value) env.raise(floatFlag.saturated);
  return BigInt.asUintN(bits, clamped);
}

/** The nearest unsigned number of `bits`; sets QC where it is another. */
export function saturateUnsigned(value: bigint, bits: number, env: FloatEnvironment): bigint {
  const most = (1n << BigInt(bits)) - 1n;
  const clamped = value > most ? most : value < 0n ? 0n : value;
  if (clamped !== value) env.raise(floatFlag.saturated);
  return clamped;
}
