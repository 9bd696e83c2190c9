import type { Rounding } from '../floating-instruction.ts';
import type { Instruction } from '../instruction.ts';
import type {
  FloatOneLaneOperation,
  Lanes,
  NarrowOperation,
  OneLaneOperation,
} from '../vector-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { allows, lanesOf, scalarLane } from './lanes-of.ts';

/** By U and opcode: the operation, sizes of vectors, sizes of scalars. */
const one: Readonly<Record<string, readonly [OneLaneOperation, vector: string, scalar: string]>> = {
  '0.3': ['suqadd', '0123', '0123'],
  '1.3': ['usqadd', '0123', '0123'],
  '0.4': ['cls', '012', ''],
  '1.4': ['clz', '012', ''],
  '0.5': ['cnt', '0', ''],
  '0.7': ['sqabs', '0123', '0123'],
  '1.7': ['sqneg', '0123', '0123'],
  '0.8': ['cmgt', '0123', '3'],
  '1.8': ['cmge', '0123', '3'],
  '0.9': ['cmeq', '0123', '3'],
  '1.9': ['cmle', '0123', '3'],
  '0.10': ['cmlt', '0123', '3'],
  '0.11': ['abs', '0123', '3'],
  '1.11': ['neg', '0123', '3'],
};
const narrow: Readonly<Record<string, NarrowOperation>> = {
  '0.18': 'xtn',
  '1.18': 'sqxtun',
  '0.20': 'sqxtn',
  '1.20': 'uqxtn',
};
const reversals: Readonly<Record<string, readonly ['rev64' | 'rev32' | 'rev16', number]>> = {
  '0.0': ['rev64', 3],
  '1.0': ['rev32', 2],
  '0.1': ['rev16', 1],
};
const addLongPairs: Readonly<Record<string, 'saddlp' | 'uaddlp' | 'sadalp' | 'uadalp'>> = {
  '0.2': 'saddlp',
  '1.2': 'uaddlp',
  '0.6': 'sadalp',
  '1.6': 'uadalp',
};

/** By U, the upper bit of size, and opcode; and whether there is a scalar form. */
const floating: Readonly<Record<string, readonly [FloatOneLaneOperation, scalar: boolean]>> = {
  '0.1.12': ['fcmgt', true],
  '1.1.12': ['fcmge', true],
  '0.1.13': ['fcmeq', true],
  '1.1.13': ['fcmle', true],
  '0.1.14': ['fcmlt', true],
  '0.1.15': ['fabs', false],
  '1.1.15': ['fneg', false],
  '0.1.29': ['frecpe', true],
  '1.1.29': ['frsqrte', true],
  '1.1.31': ['fsqrt', false],
};
const rounds: Readonly<Record<string, readonly [letter: string, Rounding | undefined]>> = {
  '0.0.24': ['n', 'even'],
  '0.0.25': ['m', 'down'],
  '0.1.24': ['p', 'up'],
  '0.1.25': ['z', 'zero'],
  '1.0.24': ['a', 'away'],
  '1.0.25': ['x', undefined],
  '1.1.25': ['i', undefined],
};
/** By the upper bit of size and opcode, for both signs. */
const toInteger: Readonly<Record<string, readonly [letter: string, Rounding]>> = {
  '0.26': ['n', 'even'],
  '0.27': ['m', 'down'],
  '0.28': ['a', 'away'],
  '1.26': ['p', 'up'],
  '1.27': ['z', 'zero'],
};

interface Fields {
  readonly U: number;
  readonly size: number;
  readonly opcode: number;
  readonly Rn: number;
  readonly Rd: number;
}

/** What is the same for vectors and scalars: conversions and what is computed in one lane. */
function floatLanes(fields: Fields, lanes: Lanes): Instruction | undefined {
  const { U, size, opcode, Rn: rn, Rd: rd } = fields;
  const registers = { rd, rn };
  const upper = size >> 1;
  const found = floating[`${U}.${upper}.${opcode}`];
  if (found !== undefined && (found[1] || lanes.lanes > 1)) {
    return { kind: 'vector-fp-one', op: found[0], ...lanes, ...registers };
  }
  const signed = U === 0;
  const conversion = toInteger[`${upper}.${opcode}`];
  if (conversion !== undefined) {
    const [letter, rounding] = conversion;
    const op = `fcvt${letter}${signed ? 's' : 'u'}`;
    const how = { signed, rounding, fractionBits: 0 };
    return { kind: 'vector-fp-to-integer', op, ...how, ...lanes, ...registers };
  }
  if (upper === 0 && opcode === 29) {
    const op = signed ? 'scvtf' : 'ucvtf';
    return { kind: 'vector-integer-to-fp', op, signed, fractionBits: 0, ...lanes, ...registers };
  }
  return undefined;
}

function vectorFloat(fields: Fields & { readonly Q: number }): Instruction | undefined {
  const { Q, U, size, opcode, Rn: rn, Rd: rd } = fields;
  const double = (size & 1) === 1;
  const upper = size >> 1;
  const half = { size: double ? 2 : 1, lanes: double ? 2 : 4, upper: Q === 1, rd, rn };
  if (upper === 0 && opcode === 22) {
    if (U === 1 && !double) return undefined;
    const op = U === 1 ? 'fcvtxn' : 'fcvtn';
    return { kind: 'vector-fp-narrow', op, to: double ? 32 : 16, ...half };
  }
  if (upper === 0 && opcode === 23) {
    if (U === 1) return undefined;
    return { kind: 'vector-fp-long', op: 'fcvtl', from: double ? 32 : 16, ...half };
  }
  const lanes = lanesOf(Q, 2 + (size & 1));
  if (lanes === undefined) return undefined;
  if (upper === 1 && opcode === 28) {
    if (double) return undefined;
    return { kind: 'vector-one', op: U === 0 ? 'urecpe' : 'ursqrte', ...lanes, rd, rn };
  }
  const round = rounds[`${U}.${upper}.${opcode}`];
  if (round !== undefined) {
    const [letter, rounding] = round;
    const how = { op: `frint${letter}`, rounding, exact: letter === 'x' };
    return { kind: 'vector-fp-round', ...how, ...lanes, rd, rn };
  }
  return floatLanes(fields, lanes);
}

function vector(fields: Fields & { readonly Q: number }): Instruction | undefined {
  const { Q, U, size, opcode, Rn: rn, Rd: rd } = fields;
  const key = `${U}.${opcode}`;
  const registers = { rd, rn };
  const half = { size, lanes: 8 >> size, upper: Q === 1 };
  const narrowing = narrow[key];
  if (narrowing !== undefined) {
    if (size === 3) return undefined;
    return { kind: 'vector-narrow', op: narrowing, ...half, ...registers };
  }
  if (key === '1.19') {
    if (size === 3) return undefined;
    return { kind: 'vector-shift-left-long', op: 'shll', ...half, ...registers };
  }
  if (opcode >= 22 || (opcode >= 12 && opcode < 16)) return vectorFloat(fields);
  const lanes = lanesOf(Q, size);
  if (lanes === undefined) return undefined;
  const reversal = reversals[key];
  if (reversal !== undefined) {
    const [op, container] = reversal;
    if (size >= container) return undefined;
    return { kind: 'vector-reverse', op, container, ...lanes, ...registers };
  }
  const pairs = addLongPairs[key];
  if (pairs !== undefined) {
    if (size === 3) return undefined;
    return { kind: 'vector-add-long-pairs', op: pairs, ...lanes, ...registers };
  }
  if (key === '1.5') {
    if (size > 1) return undefined;
    const bytes = { size: 0, lanes: 8 << Q };
    return { kind: 'vector-one', op: size === 0 ? 'not' : 'rbit', ...bytes, ...registers };
  }
  const found = one[key];
  if (found === undefined || !allows(found[1], size)) return undefined;
  return { kind: 'vector-one', op: found[0], ...lanes, ...registers };
}

function scalar(fields: Fields): Instruction | undefined {
  const { U, size, opcode, Rn: rn, Rd: rd } = fields;
  const key = `${U}.${opcode}`;
  const narrowing = narrow[key];
  if (narrowing !== undefined) {
    if (size === 3 || narrowing === 'xtn') return undefined;
    return { kind: 'vector-narrow', op: narrowing, ...scalarLane(size), upper: false, rd, rn };
  }
  if (opcode >= 22 || (opcode >= 12 && opcode < 16)) {
    const lane = scalarLane(2 + (size & 1));
    if (key === '1.22') {
      if (size !== 1) return undefined;
      const how = { op: 'fcvtxn', to: 32, upper: false } as const;
      return { kind: 'vector-fp-narrow', ...how, ...scalarLane(2), rd, rn };
    }
    if (key === '0.31' && size >= 2) {
      return { kind: 'vector-fp-one', op: 'frecpx', ...lane, rd, rn };
    }
    return floatLanes(fields, lane);
  }
  const found = one[key];
  if (found === undefined || !allows(found[2], size)) return undefined;
  return { kind: 'vector-one', op: found[0], ...scalarLane(size), rd, rn };
}

export const vectorTwoRegister: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD two-register miscellaneous',
    '0 Q U 01110 size:2 10000 opcode:5 10 Rn:5 Rd:5',
    vector,
  ),
  encodingClass(
    'Advanced SIMD scalar two-register miscellaneous',
    '01 U 11110 size:2 10000 opcode:5 10 Rn:5 Rd:5',
    scalar,
  ),
];
