/** The substitution of FIPS 197 §5.1.1: the inverse in GF(2^8), then an affine map. */
export const substitution: Uint8Array<ArrayBuffer> = makeSubstitution();
export const inverseSubstitution: Uint8Array<ArrayBuffer> = invert(substitution);

/** Rows of the state are rotated left by their number; byte n is row n % 4 of column n / 4. */
function shiftRows(state: Uint8Array, direction: 1 | -1): Uint8Array {
  return state.map((_, at) => state[(at + direction * 4 * (at % 4) + 16) % 16] ?? 0);
}

/** AESE: a round without mixing columns. `state` already has the key in it. */
export function aesEncrypt(state: Uint8Array): Uint8Array {
  return shiftRows(state, 1).map((byte) => substitution[byte] ?? 0);
}

/** AESD, its inverse. */
export function aesDecrypt(state: Uint8Array): Uint8Array {
  return shiftRows(state, -1).map((byte) => inverseSubstitution[byte] ?? 0);
}

/** AESMC and AESIMC: each column times a fixed polynomial (FIPS 197 §5.1.3, §5.3.3). */
export function aesMixColumns(state: Uint8Array, inverse: boolean): Uint8Array {
  const factors = inverse ? [14, 11, 13, 9] : [2, 3, 1, 1];
  return state.map((_, at) => {
    const column = at - (at % 4);
    let sum = 0;
    for (const [index, factor] of factors.entries()) {
      sum ^= multiply(state[column + ((at + index) % 4)] ?? 0, factor);
    }
    return sum;
  });
}

/** In GF(2^8), modulo x^8 + x^4 + x^3 + x + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let power = a, rest = b; rest !== 0; rest >>= 1) {
    if ((rest & 1) === 1) product ^= power;
    power = (power << 1) ^ (power >= 128 ? 0x11b : 0);
  }
  return product;
}

function makeSubstitution(): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(256);
  // 3 generates the field, and 0xf6 is its inverse.
  for (let step = 0, value = 1, inverse = 1; step < 255; step++) {
    const spread = inverse | (inverse << 8);
    const rotated = (by: number): number => spread >> (8 - by);
    table[value] = (inverse ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63) & 0xff;
    value = multiply(value, 3);
    inverse = multiply(inverse, 0xf6);
  }
  table[0] = 0x63;
  return table;
}

function invert(table: Uint8Array): Uint8Array<ArrayBuffer> {
  const inverse = new Uint8Array(256);
  for (const [from, to] of table.entries()) inverse[to] = from;
  return inverse;
}
