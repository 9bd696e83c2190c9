function rotate(value: number, left: number): number {
  return ((value << left) | (value >>> (32 - left))) >>> 0;
}

function choose(x: number, y: number, z: number): number {
  return ((y ^ z) & x) ^ z;
}

function majority(x: number, y: number, z: number): number {
  return (x & y) | ((x | y) & z);
}

/** Four rounds of SHA-1 (FIPS 180-4 §6.1.2); `schedule` already has the constants in it. */
export function sha1Update(
  op: 'sha1c' | 'sha1p' | 'sha1m',
  state: { readonly abcd: Uint32Array; readonly e: number; readonly schedule: Uint32Array },
): Uint32Array {
  let [a = 0, b = 0, c = 0, d = 0] = state.abcd;
  let { e } = state;
  for (const word of state.schedule) {
    const mixed = op === 'sha1c' ? choose(b, c, d) : op === 'sha1p' ? b ^ c ^ d : majority(b, c, d);
    const next = (e + rotate(a, 5) + mixed + word) >>> 0;
    [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
  }
  return Uint32Array.of(a, b, c, d);
}

/** Four rounds of SHA-256 (FIPS 180-4 §6.2.2). */
export function sha256Update(state: {
  readonly abcd: Uint32Array;
  readonly efgh: Uint32Array;
  readonly schedule: Uint32Array;
}): { readonly abcd: Uint32Array; readonly efgh: Uint32Array } {
  let [a = 0, b = 0, c = 0, d = 0] = state.abcd;
  let [e = 0, f = 0, g = 0, h = 0] = state.efgh;
  for (const word of state.schedule) {
    const sigma1 = rotate(e, 26) ^ rotate(e, 21) ^ rotate(e, 7);
    const sigma0 = rotate(a, 30) ^ rotate(a, 19) ^ rotate(a, 10);
    const first = (h + sigma1 + choose(e, f, g) + word) >>> 0;
    const second = (sigma0 + majority(a, b, c)) >>> 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0];
  }
  return { abcd: Uint32Array.of(a, b, c, d), efgh: Uint32Array.of(e, f, g, h) };
}
