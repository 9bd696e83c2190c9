/**
 * What set the flags last: nothing that is left to be computed, a subtraction or sum of two operands,
 * a logical result, or a comparison of two doubles that are no NaNs. Of integers, odd numbers are of
 * 64 bits, the even one after each of 32.
 */
export const flagsKind = { ready: 0, subtract: 1, add: 3, logical: 5, float: 7 } as const;
