import { writeVarint } from './varint.ts';

// https://github.com/google/snappy/blob/main/format_description.txt
const minMatch = 4;
/** Copies with an offset of two bytes reach this far. */
const window = 65_535;
const hashBits = 12;

/** The bytes as one block of Snappy. */
export function compressSnappy(input: Uint8Array): Uint8Array {
  // Nothing gets longer than this, whatever it is.
  const output = new Uint8Array(5 + input.length + Math.ceil(input.length / 60) + 8);
  const table = new Int32Array(1 << hashBits).fill(-1);
  let at = writeVarint(output, 0, input.length);
  let literalFrom = 0;
  const last = input.length - minMatch;
  for (let position = 0; position <= last;) {
    const word = wordAt(input, position);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits);
    const candidate = table[slot] ?? -1;
    table[slot] = position;
    if (candidate < 0 || position - candidate > window || wordAt(input, candidate) !== word) {
      position += 1;
      continue;
    }
    let length = minMatch;
    while (
      position + length < input.length &&
      input[candidate + length] === input[position + length]
    ) {
      length += 1;
    }
    at = writeLiteral(output, at, input.subarray(literalFrom, position));
    at = writeCopy(output, at, { offset: position - candidate, length });
    position += length;
    literalFrom = position;
  }
  at = writeLiteral(output, at, input.subarray(literalFrom));
  return output.slice(0, at);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function writeLiteral(output: Uint8Array, from: number, bytes: Uint8Array): number {
  let at = from;
  if (bytes.length === 0) return at;
  const length = bytes.length - 1;
  if (length < 60) output[at++] = length << 2;
  else {
    // 60 to 63: the length follows in one to four bytes.
    const count = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4;
    output[at++] = (59 + count) << 2;
    for (let byte = 0; byte < count; byte += 1) output[at++] = (length >>> (8 * byte)) & 0xff;
  }
  output.set(bytes, at);
  return at + bytes.length;
}

/** Copies of 1 to 64 bytes each, by an offset of two bytes. */
function writeCopy(
  output: Uint8Array,
  from: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): number {
  let at = from;
  for (let left = length; left > 0;) {
    const part = Math.min(left, 64);
    output[at++] = ((part - 1) << 2) | 2;
    output[at++] = offset & 0xff;
    output[at++] = offset >>> 8;
    left -= part;
  }
  return at;
}
