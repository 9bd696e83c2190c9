import type { FloatWidth, Rounding } from '../floating-instruction.ts';
import type { Instruction } from '../instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { expandFloatImmediate } from './expand-immediate.ts';
import { orZero } from './register-number.ts';

const widths: readonly (FloatWidth | undefined)[] = [32, 64, undefined, 16];
const twoSource = [
  'fmul',
  'fdiv',
  'fadd',
  'fsub',
  'fmax',
  'fmin',
  'fmaxnm',
  'fminnm',
  'fnmul',
] as const;
const threeSource = ['fmadd', 'fmsub', 'fnmadd', 'fnmsub'] as const;
const roundings: readonly Rounding[] = ['even', 'up', 'down', 'zero'];
const roundingLetters = 'npmz';

/** The widths that are computed with: half precision is of a later architecture. */
function computed(ptype: number): 32 | 64 | undefined {
  return ptype === 0 ? 32 : ptype === 1 ? 64 : undefined;
}

function oneSource(fields: {
  readonly ptype: number;
  readonly opcode: number;
  readonly Rn: number;
  readonly Rd: number;
}): Instruction | undefined {
  const { ptype, opcode, Rn: rn, Rd: rd } = fields;
  const from = widths[ptype];
  if (from === undefined) return undefined;
  if (opcode >> 2 === 1) {
    const to = widths[opcode & 3];
    if (to === undefined || to === from) return undefined;
    return { kind: 'fp-convert-precision', op: 'fcvt', from, to, rd, rn };
  }
  const width = computed(ptype);
  if (width === undefined) return undefined;
  const simple = (['fmov', 'fabs', 'fneg', 'fsqrt'] as const)[opcode];
  if (simple !== undefined) return { kind: 'fp-one-source', op: simple, width, rd, rn };
  const round = { kind: 'fp-round', width, exact: false, rd, rn } as const;
  if (opcode >= 8 && opcode < 12) {
    const op = `frint${roundingLetters.charAt(opcode - 8)}`;
    return { ...round, op, rounding: roundings[opcode - 8] };
  }
  if (opcode === 12) return { ...round, op: 'frinta', rounding: 'away' };
  if (opcode === 14) return { ...round, op: 'frintx', rounding: undefined, exact: true };
  if (opcode === 15) return { ...round, op: 'frinti', rounding: undefined };
  return undefined;
}

function convertInteger(fields: {
  readonly sf: number;
  readonly ptype: number;
  readonly rmode: number;
  readonly opcode: number;
  readonly Rn: number;
  readonly Rd: number;
}): Instruction | undefined {
  const { sf, ptype, rmode, opcode, Rn, Rd } = fields;
  const wide = sf === 1;
  if (opcode >= 6) {
    const upper = wide && ptype === 2 && rmode === 1;
    if (!upper && (rmode !== 0 || ptype !== sf)) return undefined;
    const toGeneral = opcode === 6;
    return {
      kind: 'fp-move-general',
      op: 'fmov',
      toGeneral,
      width: wide ? 64 : 32,
      upper,
      rd: toGeneral ? orZero(Rd) : Rd,
      rn: toGeneral ? Rn : orZero(Rn),
    };
  }
  const width = computed(ptype);
  if (width === undefined || (opcode >= 2 && rmode !== 0)) return undefined;
  const signed = (opcode & 1) === 0;
  if (opcode === 2 || opcode === 3) {
    const op = signed ? 'scvtf' : 'ucvtf';
    return {
      kind: 'integer-to-fp',
      op,
      width,
      wide,
      signed,
      fractionBits: 0,
      rd: Rd,
      rn: orZero(Rn),
    };
  }
  const away = opcode >= 4;
  return {
    kind: 'fp-to-integer',
    op: `fcvt${away ? 'a' : roundingLetters.charAt(rmode)}${signed ? 's' : 'u'}`,
    width,
    wide,
    signed,
    rounding: away ? 'away' : (roundings[rmode] ?? 'even'),
    fractionBits: 0,
    rd: orZero(Rd),
    rn: Rn,
  };
}

/** Arm ARM C4.1, the scalar floating-point classes of "Data Processing -- Scalar Floating-Point". */
export const floatingPoint: readonly EncodingClass[] = [
  encodingClass(
    'Conversion between floating-point and fixed-point',
    'sf 0011110 ptype:2 0 rmode:2 opcode:3 scale:6 Rn:5 Rd:5',
    ({ sf, ptype, rmode, opcode, scale, Rn, Rd }) => {
      const width = computed(ptype);
      const wide = sf === 1;
      if (width === undefined || (!wide && scale < 32)) return undefined;
      const signed = (opcode & 1) === 0;
      const conversion = { width, wide, signed, fractionBits: 64 - scale };
      if (rmode === 0 && opcode >> 1 === 1) {
        const op = signed ? 'scvtf' : 'ucvtf';
        return { kind: 'integer-to-fp', op, ...conversion, rd: Rd, rn: orZero(Rn) };
      }
      if (rmode !== 3 || opcode >> 1 !== 0) return undefined;
      const op = signed ? 'fcvtzs' : 'fcvtzu';
      return { kind: 'fp-to-integer', op, rounding: 'zero', ...conversion, rd: orZero(Rd), rn: Rn };
    },
  ),
  encodingClass(
    'Conversion between floating-point and integer',
    'sf 0011110 ptype:2 1 rmode:2 opcode:3 000000 Rn:5 Rd:5',
    convertInteger,
  ),
  encodingClass(
    'Floating-point data-processing (1 source)',
    '00011110 ptype:2 1 opcode:6 10000 Rn:5 Rd:5',
    oneSource,
  ),
  encodingClass(
    'Floating-point compare',
    '00011110 ptype:2 1 Rm:5 001000 Rn:5 signalling zero 000',
    ({ ptype, Rm, Rn, signalling, zero }) => {
      const width = computed(ptype);
      if (width === undefined) return undefined;
      const op = signalling === 1 ? 'fcmpe' : 'fcmp';
      return { kind: 'fp-compare', op, width, rn: Rn, rm: zero === 1 ? undefined : Rm };
    },
  ),
  encodingClass(
    'Floating-point immediate',
    '00011110 ptype:2 1 imm8:8 100 imm5:5 Rd:5',
    ({ ptype, imm8, imm5, Rd }) => {
      const width = computed(ptype);
      if (width === undefined || imm5 !== 0) return undefined;
      return { kind: 'fp-immediate', op: 'fmov', rd: Rd, bits: expandFloatImmediate(imm8, width) };
    },
  ),
  encodingClass(
    'Floating-point conditional compare',
    '00011110 ptype:2 1 Rm:5 cond:4 01 Rn:5 op nzcv:4',
    ({ ptype, Rm, cond, Rn, op, nzcv }) => {
      const width = computed(ptype);
      if (width === undefined) return undefined;
      return {
        kind: 'fp-conditional-compare',
        op: op === 1 ? 'fccmpe' : 'fccmp',
        width,
        rn: Rn,
        rm: Rm,
        condition: cond,
        nzcv,
      };
    },
  ),
  encodingClass(
    'Floating-point data-processing (2 source)',
    '00011110 ptype:2 1 Rm:5 opcode:4 10 Rn:5 Rd:5',
    ({ ptype, Rm, opcode, Rn, Rd }) => {
      const width = computed(ptype);
      const op = twoSource[opcode];
      if (width === undefined || op === undefined) return undefined;
      return { kind: 'fp-two-source', op, width, rd: Rd, rn: Rn, rm: Rm };
    },
  ),
  encodingClass(
    'Floating-point conditional select',
    '00011110 ptype:2 1 Rm:5 cond:4 11 Rn:5 Rd:5',
    ({ ptype, Rm, cond, Rn, Rd }) => {
      const width = computed(ptype);
      if (width === undefined) return undefined;
      return {
        kind: 'fp-conditional-select',
        op: 'fcsel',
        width,
        rd: Rd,
        rn: Rn,
        rm: Rm,
        condition: cond,
      };
    },
  ),
  encodingClass(
    'Floating-point data-processing (3 source)',
    '00011111 ptype:2 o1 Rm:5 o0 Ra:5 Rn:5 Rd:5',
    ({ ptype, o1, Rm, o0, Ra, Rn, Rd }) => {
      const width = computed(ptype);
      if (width === undefined) return undefined;
      const op = threeSource[o1 * 2 + o0] ?? 'fmadd';
      return { kind: 'fp-three-source', op, width, rd: Rd, rn: Rn, rm: Rm, ra: Ra };
    },
  ),
];
