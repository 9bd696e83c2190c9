// RFC 1951 §3.2.5: lengths 3–258 and distances 1–32768 as symbols with extra bits.
const lengthBases = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
];
const lengthExtras = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const distanceBases = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
  3073, 4097, 6145, 8193, 12289, 16385, 24577,
];
const distanceExtras = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];

/** Length code (from 0) of each match length. */
export const lengthCodeOf: Uint8Array = codesOf(lengthBases, 259);
export const lengthBase: Uint16Array = Uint16Array.from(lengthBases);
export const lengthExtraBits: Uint8Array = Uint8Array.from(lengthExtras);
export const distanceBase: Uint16Array = Uint16Array.from(distanceBases);
export const distanceExtraBits: Uint8Array = Uint8Array.from(distanceExtras);
/** Distance code of each distance. */
export const distanceCodeOf: Uint8Array = codesOf(distanceBases, 32_769);
/** RFC 1951 §3.2.7: the order in which the lengths of the code for code lengths are given. */
export const codeLengthOrder: readonly number[] = [
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

function codesOf(bases: readonly number[], count: number): Uint8Array {
  const codes = new Uint8Array(count);
  for (const [code, base] of bases.entries()) codes.fill(code, base);
  return codes;
}
