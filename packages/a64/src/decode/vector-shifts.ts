import type { Instruction } from '../instruction.ts';
import type { Lanes, ShiftNarrowOperation, ShiftOperation } from '../vector-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { lanesOf, scalarLane } from './lanes-of.ts';

/** By U and opcode: the operation, and whether a scalar of any size has it, or only one of 64 bits. */
const shifts: Readonly<Record<string, readonly [ShiftOperation, anyScalar: boolean]>> = {
  '0.0': ['sshr', false],
  '1.0': ['ushr', false],
  '0.2': ['ssra', false],
  '1.2': ['usra', false],
  '0.4': ['srshr', false],
  '1.4': ['urshr', false],
  '0.6': ['srsra', false],
  '1.6': ['ursra', false],
  '1.8': ['sri', false],
  '0.10': ['shl', false],
  '1.10': ['sli', false],
  '1.12': ['sqshlu', true],
  '0.14': ['sqshl', true],
  '1.14': ['uqshl', true],
};
const leftShifts: ReadonlySet<ShiftOperation> = new Set<ShiftOperation>([
  'shl',
  'sli',
  'sqshlu',
  'sqshl',
  'uqshl',
]);
/** By U and opcode: the operation, and whether scalars have it. */
const narrowing: Readonly<Record<string, readonly [ShiftNarrowOperation, scalar: boolean]>> = {
  '0.16': ['shrn', false],
  '1.16': ['sqshrun', true],
  '0.17': ['rshrn', false],
  '1.17': ['sqrshrun', true],
  '0.18': ['sqshrn', true],
  '1.18': ['uqshrn', true],
  '0.19': ['sqrshrn', true],
  '1.19': ['uqrshrn', true],
};

interface Fields {
  readonly U: number;
  readonly immh: number;
  readonly immb: number;
  readonly opcode: number;
  readonly Rn: number;
  readonly Rd: number;
}

function decodeShift(fields: Fields, Q: number | undefined): Instruction | undefined {
  const { U, immh, immb, opcode, Rn: rn, Rd: rd } = fields;
  // Without a size it is the class of modified immediates, or unallocated.
  if (immh === 0) return undefined;
  const size = 31 - Math.clz32(immh);
  const key = `${U}.${opcode}`;
  const bits = 8 << size;
  const left = immh * 8 + immb - bits;
  const right = bits - left;
  const registers = { rd, rn };
  const scalar = Q === undefined;
  const narrow = narrowing[key];
  if (narrow !== undefined) {
    if (size === 3 || (scalar && !narrow[1])) return undefined;
    const half = { size, lanes: scalar ? 1 : 8 >> size, upper: Q === 1 };
    return { kind: 'vector-shift-narrow', op: narrow[0], amount: right, ...half, ...registers };
  }
  if (opcode === 20) {
    if (size === 3 || scalar) return undefined;
    const half = { size, lanes: 8 >> size, upper: Q === 1 };
    const op = U === 0 ? 'sshll' : 'ushll';
    return { kind: 'vector-shift-long', op, amount: left, ...half, ...registers };
  }
  const lanes: Lanes | undefined = scalar ? scalarLane(size) : lanesOf(Q, size);
  if (lanes === undefined) return undefined;
  if (opcode === 28 || opcode === 31) {
    if (size < 2) return undefined;
    const signed = U === 0;
    const fractionBits = right;
    if (opcode === 28) {
      const op = signed ? 'scvtf' : 'ucvtf';
      return { kind: 'vector-integer-to-fp', op, signed, fractionBits, ...lanes, ...registers };
    }
    const op = signed ? 'fcvtzs' : 'fcvtzu';
    const how = { signed, fractionBits, rounding: 'zero' } as const;
    return { kind: 'vector-fp-to-integer', op, ...how, ...lanes, ...registers };
  }
  const found = shifts[key];
  if (found === undefined || (scalar && !found[1] && size !== 3)) return undefined;
  const amount = leftShifts.has(found[0]) ? left : right;
  return { kind: 'vector-shift', op: found[0], amount, ...lanes, ...registers };
}

export const vectorShifts: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD shift by immediate',
    '0 Q U 011110 immh:4 immb:3 opcode:5 1 Rn:5 Rd:5',
    (fields) => decodeShift(fields, fields.Q),
  ),
  encodingClass(
    'Advanced SIMD scalar shift by immediate',
    '01 U 111110 immh:4 immb:3 opcode:5 1 Rn:5 Rd:5',
    (fields) => decodeShift(fields, undefined),
  ),
];
