import type { Instruction } from '../instruction.ts';
import type { ExtendType } from '../integer-instruction.ts';
import type { Indexing, Transfer } from '../memory-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { orZero } from './register-number.ts';
import { signExtend } from './sign-extend.ts';
import { transfer } from './transfer.ts';

const indexings: readonly Indexing[] = ['offset', 'post', 'offset', 'pre'];

/** The register of a transfer: V0–V31, or X with the zero register. */
function transferred({ vector }: Transfer, field: number): number {
  return vector ? field : orZero(field);
}

function literal(opc: number, V: number): Transfer | undefined {
  const load = { load: true, vector: V === 1, signed: false, wide: false };
  if (V === 1) return opc === 3 ? undefined : { op: 'ldr', ...load, size: opc + 2 };
  if (opc === 2) return { op: 'ldrsw', ...load, size: 2, signed: true, wide: true };
  return { op: 'ldr', ...load, size: opc + 2, wide: opc === 1 };
}

function pair(fields: {
  readonly opc: number;
  readonly V: number;
  readonly L: number;
  readonly index: number;
}): Transfer | undefined {
  const { opc, V, L, index } = fields;
  if (opc === 3) return undefined;
  const load = L === 1;
  const temporal = index === 0 ? 'np' : 'p';
  const op = `${load ? 'ld' : 'st'}${temporal}`;
  if (V === 1) return { op, load, vector: true, size: opc + 2, signed: false, wide: false };
  // opc = 1 is LDPSW; its store is of a later architecture.
  if (opc === 1) {
    if (!load || index === 0) return undefined;
    return { op: 'ldpsw', load, vector: false, size: 2, signed: true, wide: true };
  }
  return { op, load, vector: false, size: opc === 2 ? 3 : 2, signed: false, wide: opc === 2 };
}

/** Arm ARM C4.1, "Loads and Stores", those of one or two registers. */
export const loadsAndStores: readonly EncodingClass[] = [
  encodingClass('Load register (literal)', 'opc:2 011 V 00 imm19:19 Rt:5', (fields) => {
    const { opc, V, imm19, Rt } = fields;
    if (V === 0 && opc === 3) return { kind: 'nothing', op: 'prfm' };
    const access = literal(opc, V);
    if (access === undefined) return undefined;
    return {
      kind: 'load-literal',
      ...access,
      rt: transferred(access, Rt),
      offset: signExtend(imm19, 19) * 4,
    };
  }),
  encodingClass(
    'Load/store register pair',
    'opc:2 101 V 0 index:2 L imm7:7 Rt2:5 Rn:5 Rt:5',
    (fields) => {
      const { index, imm7, Rt2, Rn, Rt } = fields;
      const access = pair(fields);
      if (access === undefined) return undefined;
      return {
        kind: 'load-store-pair',
        ...access,
        rt: transferred(access, Rt),
        rt2: transferred(access, Rt2),
        rn: Rn,
        offset: signExtend(imm7, 7) * 2 ** access.size,
        indexing: indexings[index] ?? 'offset',
      };
    },
  ),
  encodingClass(
    'Load/store register (unscaled, indexed or unprivileged)',
    'size:2 111 V 00 opc:2 0 imm9:9 index:2 Rn:5 Rt:5',
    ({ size, V, opc, imm9, index, Rn, Rt }): Instruction | undefined => {
      if (index === 2 && V === 1) return undefined;
      const stem = index === 0 ? 'ur' : index === 2 ? 'tr' : 'r';
      const access = transfer({ size, V, opc }, stem);
      if (access === undefined) return undefined;
      if (access === 'prefetch') {
        return index === 0 ? { kind: 'nothing', op: 'prfum' } : undefined;
      }
      return {
        kind: 'load-store-immediate',
        ...access,
        rt: transferred(access, Rt),
        rn: Rn,
        offset: signExtend(imm9, 9),
        indexing: indexings[index] ?? 'offset',
      };
    },
  ),
  encodingClass(
    'Load/store register (register offset)',
    'size:2 111 V 00 opc:2 1 Rm:5 option:3 S 10 Rn:5 Rt:5',
    ({ size, V, opc, Rm, option, S, Rn, Rt }) => {
      const access = transfer({ size, V, opc }, 'r');
      if (access === undefined || (option & 2) === 0) return undefined;
      if (access === 'prefetch') return { kind: 'nothing', op: 'prfm' };
      return {
        kind: 'load-store-register',
        ...access,
        rt: transferred(access, Rt),
        rn: Rn,
        rm: orZero(Rm),
        extend: option as ExtendType,
        amount: S === 1 ? access.size : 0,
      };
    },
  ),
  encodingClass(
    'Load/store register (unsigned immediate)',
    'size:2 111 V 01 opc:2 imm12:12 Rn:5 Rt:5',
    ({ size, V, opc, imm12, Rn, Rt }) => {
      const access = transfer({ size, V, opc }, 'r');
      if (access === undefined) return undefined;
      if (access === 'prefetch') return { kind: 'nothing', op: 'prfm' };
      return {
        kind: 'load-store-immediate',
        ...access,
        rt: transferred(access, Rt),
        rn: Rn,
        offset: imm12 * 2 ** access.size,
        indexing: 'offset',
      };
    },
  ),
];
