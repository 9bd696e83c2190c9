/* oxlint-disable typescript/no-non-null-assertion -- indexes are in range, and this is the hottest loop of a build */
/**
 * Lengths of a Huffman code over `frequencies` in which none exceeds `maxLength`; 0 for symbols that
 * do not occur. Equal frequencies are ordered by symbol, so equal input gives equal lengths.
 */
export function deflateCodeLengths(
  frequencies: Uint32Array,
  maxLength: number,
): Uint8Array<ArrayBuffer> {
  const lengths = new Uint8Array(frequencies.length);
  // One number to sort by frequency, then symbol: no alphabet of deflate has more than 512 symbols.
  const keys = new Float64Array(frequencies.length);
  let used = 0;
  for (const [symbol, frequency] of frequencies.entries()) {
    if (frequency > 0) keys[used++] = frequency * 512 + symbol;
  }
  const sorted = keys.subarray(0, used).toSorted();
  if (used === 0) return lengths;
  if (used === 1) {
    lengths[sorted[0]! % 512] = 1;
    return lengths;
  }
  const counts = limitedCounts(depthCounts(sorted), maxLength);
  // The rarest symbols get the longest codes.
  let next = 0;
  for (let length = maxLength; length > 0; length -= 1) {
    for (let left = counts[length]!; left > 0; left -= 1) lengths[sorted[next++]! % 512] = length;
  }
  return lengths;
}

/** How many codes of each length an unlimited Huffman code has: two queues, both in order. */
function depthCounts(sorted: Float64Array): Uint32Array {
  const leaves = sorted.length;
  const weights = new Float64Array(leaves * 2 - 1);
  const parents = new Uint16Array(leaves * 2 - 1);
  for (const [index, key] of sorted.entries()) weights[index] = Math.floor(key / 512);
  let leaf = 0;
  let inner = leaves;
  for (let made = leaves; made < weights.length; made += 1) {
    for (let side = 0; side < 2; side += 1) {
      const takesLeaf = leaf < leaves && (inner >= made || weights[leaf]! <= weights[inner]!);
      const child = takesLeaf ? leaf++ : inner++;
      weights[made]! += weights[child]!;
      parents[child] = made;
    }
  }
  const depths = new Uint16Array(weights.length);
  const counts = new Uint32Array(leaves + 1);
  for (let node = weights.length - 2; node >= 0; node -= 1) {
    depths[node] = depths[parents[node]!]! + 1;
    if (node < leaves) counts[depths[node]!]! += 1;
  }
  return counts;
}

/** Shortens what is too long, and lengthens others until the code is complete again. */
function limitedCounts(depths: Uint32Array, maxLength: number): Uint32Array {
  const counts = new Uint32Array(maxLength + 1);
  for (const [depth, count] of depths.entries()) counts[Math.min(depth, maxLength)]! += count;
  let taken = 0;
  for (let length = 1; length <= maxLength; length += 1) {
    taken += counts[length]! * 2 ** (maxLength - length);
  }
  for (; taken > 2 ** maxLength; taken -= 1) {
    counts[maxLength]! -= 1;
    let length = maxLength - 1;
    while (counts[length] === 0) length -= 1;
    counts[length]! -= 1;
    counts[length + 1]! += 2;
  }
  return counts;
}
