import type { ExtendType, ShiftType } from '../integer-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { orZero } from './register-number.ts';

const addSubtract = ['add', 'adds', 'sub', 'subs'] as const;
const carry = ['adc', 'adcs', 'sbc', 'sbcs'] as const;
const logical = ['and', 'bic', 'orr', 'orn', 'eor', 'eon', 'ands', 'bics'] as const;
const logicalOperations = ['and', 'orr', 'eor', 'and'] as const;
const selects = ['csel', 'csinc', 'csinv', 'csneg'] as const;
const shifts = ['lslv', 'lsrv', 'asrv', 'rorv'] as const;
const longMultiplies = [
  ['madd', 'msub'],
  ['smaddl', 'smsubl'],
  ['smulh', undefined],
  [undefined, undefined],
  [undefined, undefined],
  ['umaddl', 'umsubl'],
  ['umulh', undefined],
] as const;

/** Arm ARM C4.1, "Data Processing -- Register". */
export const dataProcessingRegister: readonly EncodingClass[] = [
  encodingClass(
    'Data-processing (2 source)',
    'sf 0 S 11010110 Rm:5 opcode:6 Rn:5 Rd:5',
    ({ sf, S, Rm, opcode, Rn, Rd }) => {
      if (S === 1) return undefined;
      const registers = { rd: orZero(Rd), rn: orZero(Rn), rm: orZero(Rm) };
      const wide = sf === 1;
      if (opcode === 2 || opcode === 3) {
        return { kind: 'two-source', op: opcode === 2 ? 'udiv' : 'sdiv', wide, ...registers };
      }
      const shift = opcode >= 8 ? shifts[opcode - 8] : undefined;
      if (shift !== undefined) return { kind: 'two-source', op: shift, wide, ...registers };
      if (opcode >> 3 !== 2) return undefined;
      const size = opcode & 3;
      if (wide !== (size === 3)) return undefined;
      const castagnoli = (opcode & 4) !== 0;
      const op = `crc32${castagnoli ? 'c' : ''}${'bhwx'.charAt(size)}`;
      return { kind: 'crc32', op, castagnoli, size, ...registers };
    },
  ),
  encodingClass(
    'Data-processing (1 source)',
    'sf 1 S 11010110 opcode2:5 opcode:6 Rn:5 Rd:5',
    ({ sf, S, opcode2, opcode, Rn, Rd }) => {
      if (S === 1 || opcode2 !== 0) return undefined;
      const wide = sf === 1;
      const ops = [
        'rbit',
        'rev16',
        wide ? 'rev32' : 'rev',
        wide ? 'rev' : undefined,
        'clz',
        'cls',
      ] as const;
      const op = ops[opcode];
      if (op === undefined) return undefined;
      return { kind: 'one-source', op, wide, rd: orZero(Rd), rn: orZero(Rn) };
    },
  ),
  encodingClass(
    'Logical (shifted register)',
    'sf opc:2 01010 shift:2 N Rm:5 imm6:6 Rn:5 Rd:5',
    ({ sf, opc, shift, N, Rm, imm6, Rn, Rd }) => {
      if (sf === 0 && imm6 >= 32) return undefined;
      return {
        kind: 'logical-shifted',
        op: logical[opc * 2 + N] ?? 'and',
        operation: logicalOperations[opc] ?? 'and',
        invert: N === 1,
        wide: sf === 1,
        setFlags: opc === 3,
        rd: orZero(Rd),
        rn: orZero(Rn),
        rm: orZero(Rm),
        shift: shift as ShiftType,
        amount: imm6,
      };
    },
  ),
  encodingClass(
    'Add/subtract (shifted register)',
    'sf op S 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    ({ sf, op, S, shift, Rm, imm6, Rn, Rd }) => {
      if (shift === 3 || (sf === 0 && imm6 >= 32)) return undefined;
      return {
        kind: 'add-sub-shifted',
        op: addSubtract[op * 2 + S] ?? 'add',
        wide: sf === 1,
        subtract: op === 1,
        setFlags: S === 1,
        rd: orZero(Rd),
        rn: orZero(Rn),
        rm: orZero(Rm),
        shift: shift as ShiftType,
        amount: imm6,
      };
    },
  ),
  encodingClass(
    'Add/subtract (extended register)',
    'sf op S 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5',
    ({ sf, op, S, Rm, option, imm3, Rn, Rd }) => {
      if (imm3 > 4) return undefined;
      return {
        kind: 'add-sub-extended',
        op: addSubtract[op * 2 + S] ?? 'add',
        wide: sf === 1,
        subtract: op === 1,
        setFlags: S === 1,
        rd: S === 1 ? orZero(Rd) : Rd,
        rn: Rn,
        rm: orZero(Rm),
        extend: option as ExtendType,
        amount: imm3,
      };
    },
  ),
  encodingClass(
    'Add/subtract (with carry)',
    'sf op S 11010000 Rm:5 000000 Rn:5 Rd:5',
    ({ sf, op, S, Rm, Rn, Rd }) => ({
      kind: 'add-sub-carry',
      op: carry[op * 2 + S] ?? 'adc',
      wide: sf === 1,
      subtract: op === 1,
      setFlags: S === 1,
      rd: orZero(Rd),
      rn: orZero(Rn),
      rm: orZero(Rm),
    }),
  ),
  encodingClass(
    'Conditional compare',
    'sf op S 11010010 Rm:5 cond:4 immediate o2 Rn:5 o3 nzcv:4',
    ({ sf, op, S, Rm, cond, immediate, o2, Rn, o3, nzcv }) => {
      if (S === 0 || o2 === 1 || o3 === 1) return undefined;
      return {
        kind: 'conditional-compare',
        op: op === 1 ? 'ccmp' : 'ccmn',
        wide: sf === 1,
        rn: orZero(Rn),
        rm: immediate === 1 ? undefined : orZero(Rm),
        imm: Rm,
        condition: cond,
        nzcv,
      };
    },
  ),
  encodingClass(
    'Conditional select',
    'sf op S 11010100 Rm:5 cond:4 op2:2 Rn:5 Rd:5',
    ({ sf, op, S, Rm, cond, op2, Rn, Rd }) => {
      if (S === 1 || op2 > 1) return undefined;
      return {
        kind: 'conditional-select',
        op: selects[op * 2 + op2] ?? 'csel',
        wide: sf === 1,
        rd: orZero(Rd),
        rn: orZero(Rn),
        rm: orZero(Rm),
        condition: cond,
      };
    },
  ),
  encodingClass(
    'Data-processing (3 source)',
    'sf 00 11011 op31:3 Rm:5 o0 Ra:5 Rn:5 Rd:5',
    ({ sf, op31, Rm, o0, Ra, Rn, Rd }) => {
      const op = longMultiplies[op31]?.[o0];
      if (op === undefined || (sf === 0 && op31 !== 0)) return undefined;
      return {
        kind: 'three-source',
        op,
        wide: sf === 1,
        rd: orZero(Rd),
        rn: orZero(Rn),
        rm: orZero(Rm),
        ra: orZero(Ra),
      };
    },
  ),
];
