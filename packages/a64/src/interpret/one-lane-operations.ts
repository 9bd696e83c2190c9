import { bitLength } from '../float/bit-length.ts';
import { reciprocalEstimate, reciprocalRootEstimate } from '../float/float-estimate.ts';
import type { OneLaneOperation } from '../vector-instruction.ts';
import { reverseBits } from './integer-arithmetic.ts';
import type { Lane } from './lane-operations.ts';
import { saturateSigned, saturateUnsigned } from './saturate.ts';

/** The operand is unsigned; the low bits of the result are taken. */
type OneLaneFunction = (value: bigint, lane: Lane) => bigint;

function signed(operation: OneLaneFunction): OneLaneFunction {
  return (value, lane) => operation(BigInt.asIntN(lane.bits, value), lane);
}

function mask(holds: boolean): bigint {
  return holds ? -1n : 0n;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function populationCount(value: bigint): bigint {
  let count = 0n;
  for (let rest = value; rest !== 0n; rest &= rest - 1n) count++;
  return count;
}

export const oneLaneOperations: Readonly<Record<OneLaneOperation, OneLaneFunction>> = {
  cls: signed((value, { bits }) => BigInt(bits - 1 - bitLength(value < 0n ? ~value : value))),
  clz: (value, { bits }) => BigInt(bits - bitLength(value)),
  cnt: populationCount,
  not: (value) => ~value,
  rbit: (value, { bits }) => reverseBits(value, bits),
  abs: signed(magnitude),
  neg: (value) => -value,
  sqabs: signed((value, { bits, env }) => saturateSigned(magnitude(value), bits, env)),
  sqneg: signed((value, { bits, env }) => saturateSigned(-value, bits, env)),
  cmgt: signed((value) => mask(value > 0n)),
  cmge: signed((value) => mask(value >= 0n)),
  cmeq: (value) => mask(value === 0n),
  cmle: signed((value) => mask(value <= 0n)),
  cmlt: signed((value) => mask(value < 0n)),
  // Unsigned added to signed, and the other way round.
  suqadd: (value, { bits, old, env }) =>
    saturateSigned(BigInt.asIntN(bits, old) + value, bits, env),
  usqadd: signed((value, { bits, old, env }) => saturateUnsigned(old + value, bits, env)),
  urecpe: (value) =>
    value < 0x80000000n ? 0xffffffffn : BigInt(reciprocalEstimate(Number(value >> 23n))) << 23n,
  ursqrte: (value) =>
    value < 0x40000000n ? 0xffffffffn : BigInt(reciprocalRootEstimate(Number(value >> 23n))) << 23n,
};
