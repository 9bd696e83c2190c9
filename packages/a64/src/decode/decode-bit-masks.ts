/**
 * The immediate of the logical instructions (Arm ARM, `DecodeBitMasks`): a run of ones, rotated, and
 * repeated over the register. Undefined where the encoding is reserved.
 */
export function decodeBitMasks(fields: {
  readonly N: number;
  readonly immr: number;
  readonly imms: number;
}): bigint | undefined {
  const { N, immr, imms } = fields;
  const lengthBits = (N << 6) | (~imms & 0x3f);
  if (lengthBits === 0) return undefined;
  const length = 31 - Math.clz32(lengthBits);
  if (length < 1) return undefined;
  const size = 1 << length;
  const ones = (imms & (size - 1)) + 1;
  if (ones === size) return undefined;
  const rotation = BigInt(immr & (size - 1));
  const run = (1n << BigInt(ones)) - 1n;
  const element = BigInt.asUintN(size, (run >> rotation) | (run << (BigInt(size) - rotation)));
  let mask = element;
  for (let width = size; width < 64; width *= 2) mask |= mask << BigInt(width);
  return mask;
}
