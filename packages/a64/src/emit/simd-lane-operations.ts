/** From the first operation on 8-bit lanes; wider lanes have the same ones, 32 further on each. */
const arithmetic = 0x60;
const offsets = {
  abs: 0,
  neg: 1,
  extendLowSigned: 7,
  shl: 0xb,
  sshr: 0xc,
  ushr: 0xd,
  add: 0xe,
  sub: 0x11,
  mul: 0x15,
  smin: 0x16,
  umin: 0x17,
  smax: 0x18,
  umax: 0x19,
  urhadd: 0x1b,
  multiplyLowSigned: 0x1c,
} as const;
/** Comparisons of lanes of up to 32 bits; wider ones are 10 further on. */
const comparison = 0x23;
export const comparisons = { eq: 0, ne: 1, lt: 2, gt: 4, hi: 5, le: 6, ge: 8, hs: 9 } as const;
/** Those of 64 bits, which are all signed. */
const longComparisons: Partial<Record<keyof typeof comparisons, number>> = {
  eq: 0xd6,
  ne: 0xd7,
  lt: 0xd8,
  gt: 0xd9,
  le: 0xda,
  ge: 0xdb,
};

/** The number of an operation on lanes of 2^`size` bytes. */
export function arithmeticOp(name: keyof typeof offsets, size: number): number {
  return arithmetic + 0x20 * size + offsets[name];
}

/** Undefined for what there is not: unsigned comparisons of 64 bits. */
export function comparisonOp(name: keyof typeof comparisons, size: number): number | undefined {
  return size === 3 ? longComparisons[name] : comparison + 10 * size + comparisons[name];
}
