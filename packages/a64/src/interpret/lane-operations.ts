import type { FloatEnvironment } from '../float/float-environment.ts';
import type { LaneOperation, PairwiseOperation } from '../vector-instruction.ts';
import { polynomialProduct } from './polynomial-product.ts';
import { saturateSigned, saturateUnsigned } from './saturate.ts';

/** What an operation of one lane has beside its operands. */
export interface Lane {
  readonly bits: number;
  /** What the destination holds, for those that accumulate. */
  readonly old: bigint;
  readonly env: FloatEnvironment;
}

/** Operands are unsigned; the low bits of the result are taken. */
export type LaneFunction = (a: bigint, b: bigint, lane: Lane) => bigint;

function signed(operation: LaneFunction): LaneFunction {
  return (a, b, lane) => operation(BigInt.asIntN(lane.bits, a), BigInt.asIntN(lane.bits, b), lane);
}

function mask(holds: boolean): bigint {
  return holds ? -1n : 0n;
}

/** Left by a signed byte, right where it is negative; rounded where `round` is set. */
function shiftByRegister(value: bigint, by: bigint, round: boolean): bigint {
  const shift = BigInt.asIntN(8, by);
  if (shift >= 0n) return value << shift;
  return round ? (value + (1n << (-shift - 1n))) >> -shift : value >> -shift;
}

function doublingHigh(round: boolean): LaneFunction {
  return signed((a, b, { bits, env }) => {
    const rounding = round ? 1n << BigInt(bits - 1) : 0n;
    return saturateSigned((2n * a * b + rounding) >> BigInt(bits), bits, env);
  });
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

export const laneOperations: Readonly<Record<LaneOperation, LaneFunction>> = {
  shadd: signed((a, b) => (a + b) >> 1n),
  uhadd: (a, b) => (a + b) >> 1n,
  srhadd: signed((a, b) => (a + b + 1n) >> 1n),
  urhadd: (a, b) => (a + b + 1n) >> 1n,
  shsub: signed((a, b) => (a - b) >> 1n),
  uhsub: (a, b) => (a - b) >> 1n,
  sqadd: signed((a, b, { bits, env }) => saturateSigned(a + b, bits, env)),
  uqadd: (a, b, { bits, env }) => saturateUnsigned(a + b, bits, env),
  sqsub: signed((a, b, { bits, env }) => saturateSigned(a - b, bits, env)),
  uqsub: (a, b, { bits, env }) => saturateUnsigned(a - b, bits, env),
  cmgt: signed((a, b) => mask(a > b)),
  cmhi: (a, b) => mask(a > b),
  cmge: signed((a, b) => mask(a >= b)),
  cmhs: (a, b) => mask(a >= b),
  cmeq: (a, b) => mask(a === b),
  cmtst: (a, b) => mask((a & b) !== 0n),
  sshl: (a, b, { bits }) => shiftByRegister(BigInt.asIntN(bits, a), b, false),
  ushl: (a, b) => shiftByRegister(a, b, false),
  sqshl: (a, b, { bits, env }) =>
    saturateSigned(shiftByRegister(BigInt.asIntN(bits, a), b, false), bits, env),
  uqshl: (a, b, { bits, env }) => saturateUnsigned(shiftByRegister(a, b, false), bits, env),
  srshl: (a, b, { bits }) => shiftByRegister(BigInt.asIntN(bits, a), b, true),
  urshl: (a, b) => shiftByRegister(a, b, true),
  sqrshl: (a, b, { bits, env }) =>
    saturateSigned(shiftByRegister(BigInt.asIntN(bits, a), b, true), bits, env),
  uqrshl: (a, b, { bits, env }) => saturateUnsigned(shiftByRegister(a, b, true), bits, env),
  smax: signed(most),
  umax: most,
  smin: signed(least),
  umin: least,
  sabd: signed(distance),
  uabd: distance,
  saba: (a, b, lane) =>
    lane.old + distance(BigInt.asIntN(lane.bits, a), BigInt.asIntN(lane.bits, b)),
  uaba: (a, b, { old }) => old + distance(a, b),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mla: (a, b, { old }) => old + a * b,
  mls: (a, b, { old }) => old - a * b,
  mul: (a, b) => a * b,
  pmul: polynomialProduct,
  sqdmulh: doublingHigh(false),
  sqrdmulh: doublingHigh(true),
};

export const pairwiseOperations: Readonly<Record<PairwiseOperation, LaneFunction>> = {
  addp: laneOperations.add,
  smaxp: laneOperations.smax,
  umaxp: laneOperations.umax,
  sminp: laneOperations.smin,
  uminp: laneOperations.umin,
};
