/** Writes a number of up to 32 bits as a varint; answers where it ends. */
export function writeVarint(output: Uint8Array, from: number, value: number): number {
  let at = from;
  let left = value;
  while (left >= 0x80) {
    output[at++] = (left & 0x7f) | 0x80;
    left = Math.floor(left / 0x80);
  }
  output[at++] = left;
  return at;
}

/** Reads a varint of up to 32 bits; undefined where there is none. */
export function readVarint(
  input: Uint8Array,
  from: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = input[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value > 0xffff_ffff ? undefined : { value, end: from + index + 1 };
  }
  return undefined;
}
