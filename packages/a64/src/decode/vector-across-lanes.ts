import type { Instruction } from '../instruction.ts';
import type { AcrossOperation } from '../vector-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { lanesOf, scalarLane } from './lanes-of.ts';

const across: Readonly<Record<string, AcrossOperation>> = {
  '0.3': 'saddlv',
  '1.3': 'uaddlv',
  '0.10': 'smaxv',
  '1.10': 'umaxv',
  '0.26': 'sminv',
  '1.26': 'uminv',
  '0.27': 'addv',
};

export const vectorAcrossLanes: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD across lanes',
    '0 Q U 01110 size:2 11000 opcode:5 10 Rn:5 Rd:5',
    ({ Q, U, size, opcode, Rn: rn, Rd: rd }): Instruction | undefined => {
      if (opcode === 12 || opcode === 15) {
        // Four lanes of single precision; those of half precision are of a later architecture.
        if (U === 0 || Q === 0 || (size & 1) === 1) return undefined;
        const most = opcode === 12 ? 'fmaxnmv' : 'fmaxv';
        const least = opcode === 12 ? 'fminnmv' : 'fminv';
        return {
          kind: 'vector-fp-across',
          op: size === 0 ? most : least,
          size: 2,
          lanes: 4,
          rd,
          rn,
        };
      }
      const op = across[`${U}.${opcode}`];
      const lanes = lanesOf(Q, size);
      if (op === undefined || lanes === undefined || size === 3) return undefined;
      return lanes.lanes < 4 ? undefined : { kind: 'vector-across', op, ...lanes, rd, rn };
    },
  ),
  encodingClass(
    'Advanced SIMD scalar pairwise',
    '01 U 11110 size:2 11000 opcode:5 10 Rn:5 Rd:5',
    ({ U, size, opcode, Rn: rn, Rd: rd }): Instruction | undefined => {
      if (U === 0) {
        if (opcode !== 27 || size !== 3) return undefined;
        return { kind: 'scalar-pairwise', op: 'addp', ...scalarLane(3), rd, rn };
      }
      const least = size >= 2;
      const lane = scalarLane(2 + (size & 1));
      if (opcode === 12) {
        return { kind: 'scalar-pairwise', op: least ? 'fminnmp' : 'fmaxnmp', ...lane, rd, rn };
      }
      if (opcode === 13 && !least) return { kind: 'scalar-pairwise', op: 'faddp', ...lane, rd, rn };
      if (opcode !== 15) return undefined;
      return { kind: 'scalar-pairwise', op: least ? 'fminp' : 'fmaxp', ...lane, rd, rn };
    },
  ),
];
