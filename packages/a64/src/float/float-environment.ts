import type { Rounding } from '../floating-instruction.ts';

/** Where floating-point operations read how to round, and say what happened. */
export interface FloatEnvironment {
  readonly fpcr: number;
  /** Sets cumulative bits of FPSR. */
  raise(flags: number): void;
}

/** Cumulative exceptions and saturation, as bits of FPSR. */
export const floatFlag = {
  invalid: 1,
  divideByZero: 2,
  overflow: 4,
  underflow: 8,
  inexact: 16,
  inputDenormal: 128,
  saturated: 0x08000000,
} as const;

const roundings: readonly Rounding[] = ['even', 'up', 'down', 'zero'];

export function roundingOf({ fpcr }: FloatEnvironment): Rounding {
  return roundings[(fpcr >>> 22) & 3] ?? 'even';
}

/** FZ: denormal inputs and results are zeros. */
export function flushesToZero({ fpcr }: FloatEnvironment): boolean {
  return (fpcr & (1 << 24)) !== 0;
}

/** DN: every NaN that comes out is the default one. */
export function usesDefaultNan({ fpcr }: FloatEnvironment): boolean {
  return (fpcr & (1 << 25)) !== 0;
}

/** AHP: half precision without infinities and NaNs. */
export function usesAlternativeHalf({ fpcr }: FloatEnvironment): boolean {
  return (fpcr & (1 << 26)) !== 0;
}
