import type { Lanes } from '../vector-instruction.ts';

/** Whether `size` is among `sizes`, written as '012' for lanes of 8, 16 and 32 bits. */
export function allows(sizes: string, size: number): boolean {
  return sizes.includes(String(size));
}

/** The lanes of 64 or 128 bits; undefined for one lane of 64 bits, which only scalars have. */
export function lanesOf(Q: number, size: number): Lanes | undefined {
  if (size === 3 && Q === 0) return undefined;
  return { size, lanes: (8 << Q) >> size };
}

/** The one lane of a scalar form. */
export function scalarLane(size: number): Lanes {
  return { size, lanes: 1 };
}
