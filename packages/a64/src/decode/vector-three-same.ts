import type { Instruction } from '../instruction.ts';
import type {
  FloatLaneOperation,
  FloatPairwiseOperation,
  LaneOperation,
  PairwiseOperation,
} from '../vector-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { allows, lanesOf, scalarLane } from './lanes-of.ts';

/** Opcode, signed and unsigned operation (U), sizes of vectors, sizes of scalars. */
type Row = readonly [
  opcode: number,
  signed: LaneOperation | undefined,
  unsigned: LaneOperation | undefined,
  vector: string,
  scalar: string,
];

const rows: readonly Row[] = [
  [0, 'shadd', 'uhadd', '012', ''],
  [1, 'sqadd', 'uqadd', '0123', '0123'],
  [2, 'srhadd', 'urhadd', '012', ''],
  [4, 'shsub', 'uhsub', '012', ''],
  [5, 'sqsub', 'uqsub', '0123', '0123'],
  [6, 'cmgt', 'cmhi', '0123', '3'],
  [7, 'cmge', 'cmhs', '0123', '3'],
  [8, 'sshl', 'ushl', '0123', '3'],
  [9, 'sqshl', 'uqshl', '0123', '0123'],
  [10, 'srshl', 'urshl', '0123', '3'],
  [11, 'sqrshl', 'uqrshl', '0123', '0123'],
  [12, 'smax', 'umax', '012', ''],
  [13, 'smin', 'umin', '012', ''],
  [14, 'sabd', 'uabd', '012', ''],
  [15, 'saba', 'uaba', '012', ''],
  [16, 'add', 'sub', '0123', '3'],
  [17, 'cmtst', 'cmeq', '0123', '3'],
  [18, 'mla', 'mls', '012', ''],
  [22, 'sqdmulh', 'sqrdmulh', '12', '12'],
];

const pairwise: Readonly<Record<string, readonly [PairwiseOperation, sizes: string]>> = {
  '0.20': ['smaxp', '012'],
  '1.20': ['umaxp', '012'],
  '0.21': ['sminp', '012'],
  '1.21': ['uminp', '012'],
  '0.23': ['addp', '0123'],
};

const logical = [
  ['and', 'bic', 'orr', 'orn'],
  ['eor', 'bsl', 'bit', 'bif'],
] as const;

/** By U, the upper bit of size, and opcode. */
const floating: Readonly<Record<string, FloatLaneOperation>> = {
  '0.0.24': 'fmaxnm',
  '0.0.25': 'fmla',
  '0.0.26': 'fadd',
  '0.0.27': 'fmulx',
  '0.0.28': 'fcmeq',
  '0.0.30': 'fmax',
  '0.0.31': 'frecps',
  '0.1.24': 'fminnm',
  '0.1.25': 'fmls',
  '0.1.26': 'fsub',
  '0.1.30': 'fmin',
  '0.1.31': 'frsqrts',
  '1.0.27': 'fmul',
  '1.0.28': 'fcmge',
  '1.0.29': 'facge',
  '1.0.31': 'fdiv',
  '1.1.26': 'fabd',
  '1.1.28': 'fcmgt',
  '1.1.29': 'facgt',
};
const floatingScalar: ReadonlySet<FloatLaneOperation> = new Set<FloatLaneOperation>([
  'fmulx',
  'fcmeq',
  'frecps',
  'frsqrts',
  'fcmge',
  'facge',
  'fabd',
  'fcmgt',
  'facgt',
]);
const floatingPairwise: Readonly<Record<string, FloatPairwiseOperation>> = {
  '1.0.24': 'fmaxnmp',
  '1.0.26': 'faddp',
  '1.0.30': 'fmaxp',
  '1.1.24': 'fminnmp',
  '1.1.30': 'fminp',
};

interface Fields {
  readonly U: number;
  readonly size: number;
  readonly Rm: number;
  readonly opcode: number;
  readonly Rn: number;
  readonly Rd: number;
}

function integerRow(fields: Fields): readonly [LaneOperation, Row] | undefined {
  const row = rows.find(([opcode]) => opcode === fields.opcode);
  const op = row?.[fields.U === 0 ? 1 : 2];
  return row === undefined || op === undefined ? undefined : [op, row];
}

function vector(fields: Fields & { readonly Q: number }): Instruction | undefined {
  const { Q, U, size, Rm: rm, opcode, Rn: rn, Rd: rd } = fields;
  const registers = { rd, rn, rm };
  if (opcode === 3) {
    const op = logical[U]?.[size];
    return op && { kind: 'vector-logical', op, q: Q === 1, ...registers };
  }
  if (opcode >= 24) {
    const lanes = lanesOf(Q, 2 + (size & 1));
    const key = `${U}.${size >> 1}.${opcode}`;
    const op = floating[key];
    if (lanes === undefined) return undefined;
    if (op !== undefined) {
      return { kind: 'vector-fp-lanes', op, ...lanes, ...registers, index: undefined };
    }
    const pairs = floatingPairwise[key];
    return pairs && { kind: 'vector-fp-pairwise', op: pairs, ...lanes, ...registers };
  }
  const lanes = lanesOf(Q, size);
  if (lanes === undefined) return undefined;
  if (opcode === 19) {
    // MUL has no unsigned twin; in its place is the product of polynomials, of bytes only.
    if (!allows(U === 0 ? '012' : '0', size)) return undefined;
    const op = U === 0 ? 'mul' : 'pmul';
    return { kind: 'vector-lanes', op, ...lanes, ...registers, index: undefined };
  }
  const pairs = pairwise[`${U}.${opcode}`];
  if (pairs !== undefined) {
    if (!allows(pairs[1], size)) return undefined;
    return { kind: 'vector-pairwise', op: pairs[0], ...lanes, ...registers };
  }
  const found = integerRow(fields);
  if (found === undefined || !allows(found[1][3], size)) return undefined;
  return { kind: 'vector-lanes', op: found[0], ...lanes, ...registers, index: undefined };
}

function scalar(fields: Fields): Instruction | undefined {
  const { U, size, Rm: rm, opcode, Rn: rn, Rd: rd } = fields;
  const registers = { rd, rn, rm, index: undefined };
  if (opcode >= 24) {
    const op = floating[`${U}.${size >> 1}.${opcode}`];
    if (op === undefined || !floatingScalar.has(op)) return undefined;
    return { kind: 'vector-fp-lanes', op, ...scalarLane(2 + (size & 1)), ...registers };
  }
  const found = integerRow(fields);
  if (found === undefined || !allows(found[1][4], size)) return undefined;
  return { kind: 'vector-lanes', op: found[0], ...scalarLane(size), ...registers };
}

export const vectorThreeSame: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD three same',
    '0 Q U 01110 size:2 1 Rm:5 opcode:5 1 Rn:5 Rd:5',
    vector,
  ),
  encodingClass(
    'Advanced SIMD scalar three same',
    '01 U 11110 size:2 1 Rm:5 opcode:5 1 Rn:5 Rd:5',
    scalar,
  ),
];
