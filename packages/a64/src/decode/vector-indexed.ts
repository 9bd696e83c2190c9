import type { Instruction } from '../instruction.ts';
import type {
  FloatLaneOperation,
  Lanes,
  LaneOperation,
  LongOperation,
} from '../vector-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { lanesOf, scalarLane } from './lanes-of.ts';

/** By U and opcode: the operation, and whether scalars have it. */
const same: Readonly<Record<string, readonly [LaneOperation, scalar: boolean]>> = {
  '1.0': ['mla', false],
  '1.4': ['mls', false],
  '0.8': ['mul', false],
  '0.12': ['sqdmulh', true],
  '0.13': ['sqrdmulh', true],
};
const long: Readonly<Record<string, readonly [LongOperation, scalar: boolean]>> = {
  '0.2': ['smlal', false],
  '1.2': ['umlal', false],
  '0.3': ['sqdmlal', true],
  '0.6': ['smlsl', false],
  '1.6': ['umlsl', false],
  '0.7': ['sqdmlsl', true],
  '0.10': ['smull', false],
  '1.10': ['umull', false],
  '0.11': ['sqdmull', true],
};
const floating: Readonly<Record<string, FloatLaneOperation>> = {
  '0.1': 'fmla',
  '0.5': 'fmls',
  '0.9': 'fmul',
  '1.9': 'fmulx',
};

interface Fields {
  readonly U: number;
  readonly size: number;
  readonly L: number;
  readonly M: number;
  readonly Rm: number;
  readonly opcode: number;
  readonly H: number;
  readonly Rn: number;
  readonly Rd: number;
}

function decodeIndexed(fields: Fields, Q: number | undefined): Instruction | undefined {
  const { U, size, L, M, Rm, opcode, H, Rn: rn, Rd: rd } = fields;
  const key = `${U}.${opcode}`;
  const scalar = Q === undefined;
  const lanes: Lanes | undefined = scalar ? scalarLane(size) : lanesOf(Q, size);
  const wideRegister = M * 16 + Rm;
  const float = floating[key];
  if (float !== undefined) {
    if (lanes === undefined || size < 2 || (size === 3 && L === 1)) return undefined;
    const index = size === 2 ? H * 2 + L : H;
    return { kind: 'vector-fp-lanes', op: float, ...lanes, rd, rn, rm: wideRegister, index };
  }
  if (size !== 1 && size !== 2) return undefined;
  const element =
    size === 1 ? { rm: Rm, index: H * 4 + L * 2 + M } : { rm: wideRegister, index: H * 2 + L };
  const integer = same[key];
  if (integer !== undefined) {
    if (lanes === undefined || (scalar && !integer[1])) return undefined;
    return { kind: 'vector-lanes', op: integer[0], ...lanes, rd, rn, ...element };
  }
  const widening = long[key];
  if (widening === undefined || (scalar && !widening[1])) return undefined;
  const half = { size, lanes: scalar ? 1 : 8 >> size, upper: Q === 1 };
  return { kind: 'vector-long', op: widening[0], ...half, rd, rn, ...element };
}

export const vectorIndexed: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD vector x indexed element',
    '0 Q U 01111 size:2 L M Rm:4 opcode:4 H 0 Rn:5 Rd:5',
    (fields) => decodeIndexed(fields, fields.Q),
  ),
  encodingClass(
    'Advanced SIMD scalar x indexed element',
    '01 U 11111 size:2 L M Rm:4 opcode:4 H 0 Rn:5 Rd:5',
    (fields) => decodeIndexed(fields, undefined),
  ),
];
