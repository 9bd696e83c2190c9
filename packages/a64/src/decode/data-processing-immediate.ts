import { decodeBitMasks } from './decode-bit-masks.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { orZero } from './register-number.ts';
import { signExtend } from './sign-extend.ts';

const addSubtract = ['add', 'adds', 'sub', 'subs'] as const;
const logical = ['and', 'orr', 'eor', 'ands'] as const;
const logicalOperations = ['and', 'orr', 'eor', 'and'] as const;
const moveWide = ['movn', undefined, 'movz', 'movk'] as const;
const bitfield = ['sbfm', 'bfm', 'ubfm'] as const;

/** Arm ARM C4.1, "Data Processing -- Immediate". */
export const dataProcessingImmediate: readonly EncodingClass[] = [
  encodingClass(
    'PC-rel. addressing',
    'op immlo:2 10000 immhi:19 Rd:5',
    ({ op, immlo, immhi, Rd }) => {
      const offset = signExtend((immhi << 2) | immlo, 21);
      return {
        kind: 'pc-relative',
        op: op === 0 ? 'adr' : 'adrp',
        rd: orZero(Rd),
        offset: op === 0 ? offset : offset * 4096,
      };
    },
  ),
  encodingClass(
    'Add/subtract (immediate)',
    'sf op S 100010 sh imm12:12 Rn:5 Rd:5',
    ({ sf, op, S, sh, imm12, Rn, Rd }) => ({
      kind: 'add-sub-immediate',
      op: addSubtract[op * 2 + S] ?? 'add',
      wide: sf === 1,
      subtract: op === 1,
      setFlags: S === 1,
      rd: S === 1 ? orZero(Rd) : Rd,
      rn: Rn,
      imm: sh === 1 ? imm12 * 4096 : imm12,
    }),
  ),
  encodingClass(
    'Logical (immediate)',
    'sf opc:2 100100 N immr:6 imms:6 Rn:5 Rd:5',
    ({ sf, opc, N, immr, imms, Rn, Rd }) => {
      if (sf === 0 && N === 1) return undefined;
      const imm = decodeBitMasks({ N, immr, imms });
      if (imm === undefined) return undefined;
      return {
        kind: 'logical-immediate',
        op: logical[opc] ?? 'and',
        operation: logicalOperations[opc] ?? 'and',
        wide: sf === 1,
        setFlags: opc === 3,
        rd: opc === 3 ? orZero(Rd) : Rd,
        rn: orZero(Rn),
        imm: sf === 1 ? imm : imm & 0xffffffffn,
      };
    },
  ),
  encodingClass(
    'Move wide (immediate)',
    'sf opc:2 100101 hw:2 imm16:16 Rd:5',
    ({ sf, opc, hw, imm16, Rd }) => {
      const op = moveWide[opc];
      if (op === undefined || (sf === 0 && hw > 1)) return undefined;
      return { kind: 'move-wide', op, wide: sf === 1, rd: orZero(Rd), imm: imm16, shift: hw * 16 };
    },
  ),
  encodingClass(
    'Bitfield',
    'sf opc:2 100110 N immr:6 imms:6 Rn:5 Rd:5',
    ({ sf, opc, N, immr, imms, Rn, Rd }) => {
      const op = bitfield[opc];
      if (op === undefined || N !== sf || (sf === 0 && (immr | imms) >= 32)) return undefined;
      return { kind: 'bitfield', op, wide: sf === 1, rd: orZero(Rd), rn: orZero(Rn), immr, imms };
    },
  ),
  encodingClass(
    'Extract',
    'sf 00 100111 N 0 Rm:5 imms:6 Rn:5 Rd:5',
    ({ sf, N, Rm, imms, Rn, Rd }) => {
      if (N !== sf || (sf === 0 && imms >= 32)) return undefined;
      return {
        kind: 'extract',
        op: 'extr',
        wide: sf === 1,
        rd: orZero(Rd),
        rn: orZero(Rn),
        rm: orZero(Rm),
        lsb: imms,
      };
    },
  ),
];
