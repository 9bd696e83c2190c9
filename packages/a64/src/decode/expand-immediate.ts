/** The 8-bit floating-point immediate of FMOV (Arm ARM, `VFPExpandImm`). */
export function expandFloatImmediate(imm8: number, width: 32 | 64): bigint {
  const sign = BigInt(imm8 >> 7);
  const exponentTop = (imm8 >> 6) & 1;
  const low = BigInt(imm8 & 0x3f);
  if (width === 32) {
    const exponent = exponentTop === 1 ? 0b011111n : 0b100000n;
    return (sign << 31n) | (exponent << 25n) | (low << 19n);
  }
  const exponent = exponentTop === 1 ? 0b011111111n : 0b100000000n;
  return (sign << 63n) | (exponent << 54n) | (low << 48n);
}

/** A 64-bit pattern from the immediate of the vector MOVI class (`AdvSIMDExpandImm`). */
export function expandVectorImmediate(fields: {
  readonly op: number;
  readonly cmode: number;
  readonly imm8: number;
}): bigint {
  const { op, cmode, imm8 } = fields;
  const byte = BigInt(imm8);
  const group = cmode >> 1;
  if (group < 4) return repeat(byte << BigInt(group * 8), 32);
  if (group < 6) return repeat(byte << BigInt((group - 4) * 8), 16);
  if (group === 6) {
    const ones = (cmode & 1) === 0 ? 8n : 16n;
    return repeat((byte << ones) | ((1n << ones) - 1n), 32);
  }
  if ((cmode & 1) === 1) {
    return op === 1 ? expandFloatImmediate(imm8, 64) : repeat(expandFloatImmediate(imm8, 32), 32);
  }
  if (op === 0) return repeat(byte, 8);
  let mask = 0n;
  for (let bit = 0; bit < 8; bit++) {
    if (((imm8 >> bit) & 1) === 1) mask |= 0xffn << BigInt(bit * 8);
  }
  return mask;
}

function repeat(element: bigint, bits: number): bigint {
  let pattern = element;
  for (let width = bits; width < 64; width *= 2) pattern |= pattern << BigInt(width);
  return pattern;
}
