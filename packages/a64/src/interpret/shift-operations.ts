import type { ShiftNarrowOperation, ShiftOperation } from '../vector-instruction.ts';
import type { Lane } from './lane-operations.ts';
import { saturateSigned, saturateUnsigned } from './saturate.ts';

/** The operand is unsigned; the low bits of the result are taken. */
type ShiftFunction = (value: bigint, amount: bigint, lane: Lane) => bigint;

function signed(operation: ShiftFunction): ShiftFunction {
  return (value, amount, lane) => operation(BigInt.asIntN(lane.bits, value), amount, lane);
}

function right(value: bigint, amount: bigint): bigint {
  return value >> amount;
}

function rounded(value: bigint, amount: bigint): bigint {
  return (value + (1n << (amount - 1n))) >> amount;
}

function accumulated(operation: ShiftFunction): ShiftFunction {
  return (value, amount, lane) => lane.old + operation(value, amount, lane);
}

export const shiftOperations: Readonly<Record<ShiftOperation, ShiftFunction>> = {
  sshr: signed(right),
  ushr: right,
  ssra: accumulated(signed(right)),
  usra: accumulated(right),
  srshr: signed(rounded),
  urshr: rounded,
  srsra: accumulated(signed(rounded)),
  ursra: accumulated(rounded),
  shl: (value, amount) => value << amount,
  sli: (value, amount, { old }) => (value << amount) | (old & ((1n << amount) - 1n)),
  sri: (value, amount, { old, bits }) => {
    const kept = ((1n << BigInt(bits)) - 1n) >> amount;
    return (value >> amount) | (old & ~kept);
  },
  sqshl: signed((value, amount, { bits, env }) => saturateSigned(value << amount, bits, env)),
  uqshl: (value, amount, { bits, env }) => saturateUnsigned(value << amount, bits, env),
  sqshlu: signed((value, amount, { bits, env }) => saturateUnsigned(value << amount, bits, env)),
};

/** `bits` are those of the narrow result, the operand has twice as many. */
export const shiftNarrowOperations: Readonly<Record<ShiftNarrowOperation, ShiftFunction>> = {
  shrn: right,
  rshrn: rounded,
  sqshrn: wideSigned(right, saturateSigned),
  sqrshrn: wideSigned(rounded, saturateSigned),
  uqshrn: (value, amount, { bits, env }) => saturateUnsigned(value >> amount, bits, env),
  uqrshrn: (value, amount, { bits, env }) => saturateUnsigned(rounded(value, amount), bits, env),
  sqshrun: wideSigned(right, saturateUnsigned),
  sqrshrun: wideSigned(rounded, saturateUnsigned),
};

function wideSigned(
  shift: (value: bigint, amount: bigint) => bigint,
  saturate: typeof saturateSigned,
): ShiftFunction {
  return (value, amount, { bits, env }) =>
    saturate(shift(BigInt.asIntN(2 * bits, value), amount), bits, env);
}
