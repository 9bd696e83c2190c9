import {
  floatAdd,
  floatDivide,
  floatMultiply,
  floatMultiplyAdd,
  floatMultiplyExtended,
  floatSquareRoot,
  floatSubtract,
} from '../float/float-arithmetic.ts';
import { floatCompare, floatMost, floatMostNumber, type Order } from '../float/float-compare.ts';
import {
  floatReciprocalEstimate,
  floatReciprocalExponent,
  floatReciprocalRootEstimate,
  floatStep,
} from '../float/float-estimate.ts';
import { floatFormats } from '../float/float-format.ts';
import type { FloatType } from '../float/float-type.ts';
import type {
  FloatAcrossOperation,
  FloatLaneOperation,
  FloatOneLaneOperation,
  FloatPairwiseOperation,
} from '../vector-instruction.ts';

export type FloatFunction = (a: bigint, b: bigint, type: FloatType, old: bigint) => bigint;

function magnitude(value: bigint, { width }: FloatType): bigint {
  return value & ~floatFormats[width].signBit;
}

function compare(
  how: { readonly signalling: boolean; readonly magnitudes: boolean },
  holds: (order: Order) => boolean,
): FloatFunction {
  return (a, b, type) => {
    const left = how.magnitudes ? magnitude(a, type) : a;
    const right = how.magnitudes ? magnitude(b, type) : b;
    return holds(floatCompare(left, right, { ...type, signalling: how.signalling })) ? -1n : 0n;
  };
}

function atLeast(order: Order): boolean {
  return order === 'greater' || order === 'equal';
}

function more(order: Order): boolean {
  return order === 'greater';
}

function same(order: Order): boolean {
  return order === 'equal';
}

const plain = { signalling: true, magnitudes: false };
const magnitudes = { signalling: true, magnitudes: true };

export const floatLaneOperations: Readonly<Record<FloatLaneOperation, FloatFunction>> = {
  fadd: floatAdd,
  fsub: floatSubtract,
  fmul: floatMultiply,
  fmulx: floatMultiplyExtended,
  fdiv: floatDivide,
  fmax: (a, b, type) => floatMost(a, b, { ...type, most: true }),
  fmin: (a, b, type) => floatMost(a, b, { ...type, most: false }),
  fmaxnm: (a, b, type) => floatMostNumber(a, b, { ...type, most: true }),
  fminnm: (a, b, type) => floatMostNumber(a, b, { ...type, most: false }),
  fmla: (n, m, type, addend) => floatMultiplyAdd({ addend, n, m }, type),
  fmls: (n, m, type, addend) =>
    floatMultiplyAdd({ addend, n: n ^ floatFormats[type.width].signBit, m }, type),
  fabd: (a, b, type) => magnitude(floatSubtract(a, b, type), type),
  fcmeq: compare({ signalling: false, magnitudes: false }, same),
  fcmge: compare(plain, atLeast),
  fcmgt: compare(plain, more),
  facge: compare(magnitudes, atLeast),
  facgt: compare(magnitudes, more),
  frecps: (n, m, type) => floatStep({ n, m, root: false }, type),
  frsqrts: (n, m, type) => floatStep({ n, m, root: true }, type),
};

export const floatPairwiseOperations: Readonly<Record<FloatPairwiseOperation, FloatFunction>> = {
  faddp: floatLaneOperations.fadd,
  fmaxp: floatLaneOperations.fmax,
  fminp: floatLaneOperations.fmin,
  fmaxnmp: floatLaneOperations.fmaxnm,
  fminnmp: floatLaneOperations.fminnm,
};

export const floatAcrossOperations: Readonly<Record<FloatAcrossOperation, FloatFunction>> = {
  fmaxv: floatLaneOperations.fmax,
  fminv: floatLaneOperations.fmin,
  fmaxnmv: floatLaneOperations.fmaxnm,
  fminnmv: floatLaneOperations.fminnm,
};

export const floatOneLaneOperations: Readonly<
  Record<FloatOneLaneOperation, (value: bigint, type: FloatType) => bigint>
> = {
  fabs: magnitude,
  fneg: (value, { width }) => value ^ floatFormats[width].signBit,
  fsqrt: floatSquareRoot,
  fcmgt: (value, type) => floatLaneOperations.fcmgt(value, 0n, type, 0n),
  fcmge: (value, type) => floatLaneOperations.fcmge(value, 0n, type, 0n),
  fcmeq: (value, type) => floatLaneOperations.fcmeq(value, 0n, type, 0n),
  fcmle: (value, type) => floatLaneOperations.fcmge(0n, value, type, 0n),
  fcmlt: (value, type) => floatLaneOperations.fcmgt(0n, value, type, 0n),
  frecpe: floatReciprocalEstimate,
  frsqrte: floatReciprocalRootEstimate,
  frecpx: floatReciprocalExponent,
};
