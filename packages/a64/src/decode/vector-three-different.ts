import type { Instruction } from '../instruction.ts';
import type { LongOperation, NarrowHighOperation, WideOperation } from '../vector-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { allows } from './lanes-of.ts';

/** By U and opcode: the operation and the sizes of its narrow side. */
const long: Readonly<Record<string, readonly [LongOperation, sizes: string]>> = {
  '0.0': ['saddl', '012'],
  '1.0': ['uaddl', '012'],
  '0.2': ['ssubl', '012'],
  '1.2': ['usubl', '012'],
  '0.5': ['sabal', '012'],
  '1.5': ['uabal', '012'],
  '0.7': ['sabdl', '012'],
  '1.7': ['uabdl', '012'],
  '0.8': ['smlal', '012'],
  '1.8': ['umlal', '012'],
  '0.9': ['sqdmlal', '12'],
  '0.10': ['smlsl', '012'],
  '1.10': ['umlsl', '012'],
  '0.11': ['sqdmlsl', '12'],
  '0.12': ['smull', '012'],
  '1.12': ['umull', '012'],
  '0.13': ['sqdmull', '12'],
  '0.14': ['pmull', '03'],
};
const wide: Readonly<Record<string, WideOperation>> = {
  '0.1': 'saddw',
  '1.1': 'uaddw',
  '0.3': 'ssubw',
  '1.3': 'usubw',
};
const narrow: Readonly<Record<string, NarrowHighOperation>> = {
  '0.4': 'addhn',
  '1.4': 'raddhn',
  '0.6': 'subhn',
  '1.6': 'rsubhn',
};

export const vectorThreeDifferent: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD three different',
    '0 Q U 01110 size:2 1 Rm:5 opcode:4 00 Rn:5 Rd:5',
    ({ Q, U, size, Rm: rm, opcode, Rn: rn, Rd: rd }): Instruction | undefined => {
      const key = `${U}.${opcode}`;
      const operands = { size, lanes: 8 >> size, upper: Q === 1, rd, rn, rm };
      const found = long[key];
      if (found !== undefined) {
        if (!allows(found[1], size)) return undefined;
        return { kind: 'vector-long', op: found[0], ...operands, index: undefined };
      }
      if (size === 3) return undefined;
      const widening = wide[key];
      if (widening !== undefined) return { kind: 'vector-wide', op: widening, ...operands };
      const narrowing = narrow[key];
      return narrowing && { kind: 'vector-narrow-high', op: narrowing, ...operands };
    },
  ),
  encodingClass(
    'Advanced SIMD scalar three different',
    '01 0 11110 size:2 1 Rm:5 opcode:4 00 Rn:5 Rd:5',
    ({ size, Rm: rm, opcode, Rn: rn, Rd: rd }) => {
      const found = long[`0.${opcode}`];
      // Only the doubling ones, which are those of 16 and 32 bits.
      if (found === undefined || found[1] !== '12' || !allows('12', size)) return undefined;
      return {
        kind: 'vector-long',
        op: found[0],
        size,
        lanes: 1,
        upper: false,
        rd,
        rn,
        rm,
        index: undefined,
      };
    },
  ),
];
