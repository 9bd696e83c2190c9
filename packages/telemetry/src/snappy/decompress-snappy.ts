import { TaplineError } from '@tapline/base';
import { readVarint } from './varint.ts';

/** The bytes of a block of Snappy. Throws `snappy_invalid`, also where there are more than `maxBytes`. */
export function decompressSnappy(
  input: Uint8Array,
  { maxBytes }: { readonly maxBytes: number },
): Uint8Array {
  const length = readVarint(input, 0);
  if (length === undefined) throw invalid('it has no length');
  if (length.value > maxBytes) throw invalid(`${length.value} bytes exceed ${maxBytes}`);
  const output = new Uint8Array(length.value);
  let [at, from] = [0, length.end];
  while (from < input.length) {
    const tag = input[from] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >>> 2;
      const extra = short < 60 ? 0 : short - 59;
      const size = extra === 0 ? short + 1 : little(input, from + 1, extra) + 1;
      const begin = from + 1 + extra;
      if (begin + size > input.length || at + size > output.length)
        throw invalid('a literal is cut');
      output.set(input.subarray(begin, begin + size), at);
      at += size;
      from = begin + size;
      continue;
    }
    const bytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (from + bytes >= input.length) throw invalid('a copy is cut');
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const near = little(input, from + 1, bytes);
    const offset = kind === 1 ? ((tag >>> 5) << 8) | near : near;
    if (offset === 0 || offset > at || at + size > output.length) {
      throw invalid('a copy is of what is not there');
    }
    // Byte by byte: a copy may be of what it has just written.
    for (let index = 0; index < size; index += 1)
      output[at + index] = output[at + index - offset] ?? 0;
    at += size;
    from += 1 + bytes;
  }
  if (at !== output.length) throw invalid(`it has ${at} bytes and says ${output.length}`);
  return output;
}

function little(input: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let byte = 0; byte < count; byte += 1) value += (input[from + byte] ?? 0) * 2 ** (8 * byte);
  return value;
}

function invalid(why: string): TaplineError {
  return new TaplineError('snappy_invalid', `not a block of Snappy: ${why}`);
}
