import type { ExtendType, ShiftType } from '../integer-instruction.ts';

/** The sum of 32 or 64 bits and its N, Z, C, V as bits 3 to 0 (Arm ARM, `AddWithCarry`). */
export function addWithCarry(
  a: bigint,
  b: bigint,
  how: { readonly carry: bigint; readonly bits: number },
): { readonly result: bigint; readonly nzcv: number } {
  const { carry, bits } = how;
  const sum = a + b + carry;
  const result = BigInt.asUintN(bits, sum);
  const signedSum = BigInt.asIntN(bits, a) + BigInt.asIntN(bits, b) + carry;
  const signed = BigInt.asIntN(bits, result);
  const nzcv =
    (signed < 0n ? 8 : 0) |
    (result === 0n ? 4 : 0) |
    (result === sum ? 0 : 2) |
    (signed === signedSum ? 0 : 1);
  return { result, nzcv };
}

/** N and Z of a logical result; C and V are cleared. */
export function logicalFlags(result: bigint, bits: number): number {
  return (BigInt.asIntN(bits, result) < 0n ? 8 : 0) | (result === 0n ? 4 : 0);
}

export function rotateRight(value: bigint, amount: number, bits: number): bigint {
  const by = BigInt(amount % bits);
  return BigInt.asUintN(bits, (value >> by) | (value << (BigInt(bits) - by)));
}

/** `value` has no more than `bits` bits, `amount` is less than them. */
export function shiftBy(
  value: bigint,
  shift: { readonly type: ShiftType; readonly amount: number; readonly bits: number },
): bigint {
  const { type, amount, bits } = shift;
  const by = BigInt(amount);
  switch (type) {
    case 0:
      return BigInt.asUintN(bits, value << by);
    case 1:
      return value >> by;
    case 2:
      return BigInt.asUintN(bits, BigInt.asIntN(bits, value) >> by);
    case 3:
      return rotateRight(value, amount, bits);
  }
}

/** The low 8, 16, 32 or 64 bits with zeros or their sign above them. */
export function extend(value: bigint, type: ExtendType): bigint {
  const bits = 8 << (type & 3);
  return type >= 4 ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

export function reverseBits(value: bigint, bits: number): bigint {
  let reversed = 0n;
  for (let bit = 0, rest = value; bit < bits; bit++, rest >>= 1n) {
    reversed = (reversed << 1n) | (rest & 1n);
  }
  return reversed;
}

/** Reverses the bytes within each container of `container` bits. */
export function reverseBytes(value: bigint, container: number, bits: number): bigint {
  let reversed = 0n;
  for (let at = 0; at < bits; at += 8) {
    const within = at % container;
    const to = at - within + container - 8 - within;
    reversed |= ((value >> BigInt(at)) & 0xffn) << BigInt(to);
  }
  return reversed;
}
