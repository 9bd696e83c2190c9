import type { LongOperation, NarrowHighOperation, WideOperation } from '../vector-instruction.ts';
import type { Lane, LaneFunction } from './lane-operations.ts';
import { polynomialProduct } from './polynomial-product.ts';
import { saturateSigned } from './saturate.ts';

/** From narrow operands, which are extended first, to a lane of `bits`. */
export interface LongFunction {
  readonly signed: boolean;
  readonly compute: LaneFunction;
}

function both(compute: LaneFunction): readonly [signed: LongFunction, unsigned: LongFunction] {
  return [
    { signed: true, compute },
    { signed: false, compute },
  ];
}

function doubled(a: bigint, b: bigint, { bits, env }: Lane): bigint {
  return BigInt.asIntN(bits, saturateSigned(2n * a * b, bits, env));
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

const [saddl, uaddl] = both((a, b) => a + b);
const [ssubl, usubl] = both((a, b) => a - b);
const [sabdl, uabdl] = both(distance);
const [sabal, uabal] = both((a, b, { old }) => old + distance(a, b));
const [smull, umull] = both((a, b) => a * b);
const [smlal, umlal] = both((a, b, { old }) => old + a * b);
const [smlsl, umlsl] = both((a, b, { old }) => old - a * b);

export const longOperations: Readonly<Record<LongOperation, LongFunction>> = {
  saddl,
  uaddl,
  ssubl,
  usubl,
  sabdl,
  uabdl,
  sabal,
  uabal,
  smull,
  umull,
  smlal,
  umlal,
  smlsl,
  umlsl,
  // Saturates twice: the product, and what it is added to.
  sqdmull: { signed: true, compute: doubled },
  sqdmlal: {
    signed: true,
    compute: (a, b, lane) =>
      saturateSigned(BigInt.asIntN(lane.bits, lane.old) + doubled(a, b, lane), lane.bits, lane.env),
  },
  sqdmlsl: {
    signed: true,
    compute: (a, b, lane) =>
      saturateSigned(BigInt.asIntN(lane.bits, lane.old) - doubled(a, b, lane), lane.bits, lane.env),
  },
  pmull: { signed: false, compute: polynomialProduct },
};

export const wideOperations: Readonly<Record<WideOperation, LongFunction>> = {
  saddw: saddl,
  uaddw: uaddl,
  ssubw: ssubl,
  usubw: usubl,
};

/** The sum or difference of wide lanes, of which the upper half is kept, rounded or cut off. */
export const narrowHighOperations: Readonly<
  Record<NarrowHighOperation, { readonly subtract: boolean; readonly round: boolean }>
> = {
  addhn: { subtract: false, round: false },
  raddhn: { subtract: false, round: true },
  subhn: { subtract: true, round: false },
  rsubhn: { subtract: true, round: true },
};
