import type { Register } from '../integer-instruction.ts';

/** The zero register in the intermediate form. */
export const zeroRegister = 32;

/** A register field where 31 is the zero register. */
export function orZero(field: number): Register {
  return field === 31 ? zeroRegister : field;
}
