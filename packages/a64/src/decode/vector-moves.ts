import type { Instruction } from '../instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { expandVectorImmediate } from './expand-immediate.ts';
import { lanesOf } from './lanes-of.ts';
import { orZero } from './register-number.ts';

const permutations = [
  undefined,
  'uzp1',
  'trn1',
  'zip1',
  undefined,
  'uzp2',
  'trn2',
  'zip2',
] as const;

/** The size and index of a lane that imm5 says; undefined where it says none. */
function element(imm5: number): { readonly size: number; readonly index: number } | undefined {
  if ((imm5 & 15) === 0) return undefined;
  const size = 31 - Math.clz32(imm5 & -imm5);
  return { size, index: imm5 >> (size + 1) };
}

function copy(fields: {
  readonly Q: number;
  readonly op: number;
  readonly imm5: number;
  readonly imm4: number;
  readonly Rn: number;
  readonly Rd: number;
}): Instruction | undefined {
  const { Q, op, imm5, imm4, Rn, Rd } = fields;
  const lane = element(imm5);
  if (lane === undefined) return undefined;
  if (op === 1) {
    if (Q === 0) return undefined;
    const from = imm4 >> lane.size;
    return {
      kind: 'vector-insert',
      op: 'ins',
      size: lane.size,
      to: lane.index,
      from,
      rd: Rd,
      rn: Rn,
    };
  }
  const lanes = lanesOf(Q, lane.size);
  switch (imm4) {
    case 0:
      return (
        lanes && {
          kind: 'vector-duplicate',
          op: 'dup',
          ...lanes,
          index: lane.index,
          rd: Rd,
          rn: Rn,
        }
      );
    case 1:
      return (
        lanes && { kind: 'vector-duplicate-general', op: 'dup', ...lanes, rd: Rd, rn: orZero(Rn) }
      );
    case 3:
      if (Q === 0) return undefined;
      return { kind: 'vector-insert-general', op: 'ins', ...lane, rd: Rd, rn: orZero(Rn) };
    case 5:
      if (lane.size === 3 || (lane.size === 2 && Q === 0)) return undefined;
      return {
        kind: 'vector-to-general',
        op: 'smov',
        ...lane,
        wide: Q === 1,
        rd: orZero(Rd),
        rn: Rn,
      };
    case 7:
      if ((Q === 1) !== (lane.size === 3)) return undefined;
      return {
        kind: 'vector-to-general',
        op: 'umov',
        ...lane,
        wide: Q === 1,
        rd: orZero(Rd),
        rn: Rn,
      };
    default:
      return undefined;
  }
}

function modifiedImmediate(fields: {
  readonly Q: number;
  readonly op: number;
  readonly abc: number;
  readonly cmode: number;
  readonly defgh: number;
  readonly Rd: number;
}): Instruction | undefined {
  const { Q, op, abc, cmode, defgh, Rd } = fields;
  // FMOV of two doubles needs both halves of the register.
  if (cmode === 15 && op === 1 && Q === 0) return undefined;
  const imm = expandVectorImmediate({ op, cmode, imm8: abc * 32 + defgh });
  const common = { kind: 'vector-immediate', q: Q === 1, rd: Rd } as const;
  if (cmode < 12 && (cmode & 1) === 1) {
    const operation = op === 1 ? 'bic' : 'orr';
    return { ...common, op: operation, operation, imm };
  }
  if (cmode === 15) return { ...common, op: 'fmov', operation: 'replace', imm };
  if (op === 1 && cmode < 14) {
    return { ...common, op: 'mvni', operation: 'replace', imm: BigInt.asUintN(64, ~imm) };
  }
  return { ...common, op: 'movi', operation: 'replace', imm };
}

/** What moves lanes and bytes: copies, permutations, tables, immediates. */
export const vectorMoves: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD scalar copy',
    '01 op 11110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5',
    ({ op, imm5, imm4, Rn, Rd }) => {
      const lane = element(imm5);
      if (lane === undefined || op === 1 || imm4 !== 0) return undefined;
      return { kind: 'vector-duplicate', op: 'dup', ...lane, lanes: 1, rd: Rd, rn: Rn };
    },
  ),
  encodingClass('Advanced SIMD copy', '0 Q op 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5', copy),
  encodingClass(
    'Advanced SIMD table lookup',
    '0 Q 001110000 Rm:5 0 len:2 op 00 Rn:5 Rd:5',
    ({ Q, Rm, len, op, Rn, Rd }) => ({
      kind: 'vector-table',
      op: op === 1 ? 'tbx' : 'tbl',
      q: Q === 1,
      registers: len + 1,
      rd: Rd,
      rn: Rn,
      rm: Rm,
    }),
  ),
  encodingClass(
    'Advanced SIMD permute',
    '0 Q 001110 size:2 0 Rm:5 0 opcode:3 10 Rn:5 Rd:5',
    ({ Q, size, Rm, opcode, Rn, Rd }) => {
      const op = permutations[opcode];
      const lanes = lanesOf(Q, size);
      if (op === undefined || lanes === undefined) return undefined;
      return { kind: 'vector-permute', op, ...lanes, rd: Rd, rn: Rn, rm: Rm };
    },
  ),
  encodingClass(
    'Advanced SIMD extract',
    '0 Q 101110000 Rm:5 0 imm4:4 0 Rn:5 Rd:5',
    ({ Q, Rm, imm4, Rn, Rd }) => {
      if (Q === 0 && imm4 >= 8) return undefined;
      return { kind: 'vector-extract', op: 'ext', q: Q === 1, index: imm4, rd: Rd, rn: Rn, rm: Rm };
    },
  ),
  encodingClass(
    'Advanced SIMD modified immediate',
    '0 Q op 0111100000 abc:3 cmode:4 01 defgh:5 Rd:5',
    modifiedImmediate,
  ),
];
