import type { AtomicOperation } from '../memory-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { orZero } from './register-number.ts';

const sizeSuffixes = ['b', 'h', '', ''] as const;
const atomics: readonly AtomicOperation[] = [
  'add',
  'clr',
  'eor',
  'set',
  'smax',
  'smin',
  'umax',
  'umin',
];

/** Arm ARM C4.1, "Loads and Stores", those that threads synchronise by. */
export const exclusivesAndAtomics: readonly EncodingClass[] = [
  encodingClass(
    'Load/store exclusive',
    'size:2 001000 0 L 0 Rs:5 o0 Rt2:5 Rn:5 Rt:5',
    ({ size, L, Rs, o0, Rt2, Rn, Rt }) => ({
      kind: 'load-store-exclusive',
      op: `${L === 1 ? (o0 === 1 ? 'ldax' : 'ldx') : o0 === 1 ? 'stlx' : 'stx'}r${sizeSuffixes[size]}`,
      load: L === 1,
      pair: false,
      size,
      rs: orZero(Rs),
      rt: orZero(Rt),
      rt2: orZero(Rt2),
      rn: Rn,
    }),
  ),
  encodingClass(
    'Load/store exclusive pair',
    '1 sz 001000 0 L 1 Rs:5 o0 Rt2:5 Rn:5 Rt:5',
    ({ sz, L, Rs, o0, Rt2, Rn, Rt }) => ({
      kind: 'load-store-exclusive',
      op: `${L === 1 ? (o0 === 1 ? 'ldax' : 'ldx') : o0 === 1 ? 'stlx' : 'stx'}p`,
      load: L === 1,
      pair: true,
      size: 2 + sz,
      rs: orZero(Rs),
      rt: orZero(Rt),
      rt2: orZero(Rt2),
      rn: Rn,
    }),
  ),
  encodingClass(
    'Compare and swap pair',
    '0 sz 001000 0 L 1 Rs:5 o0 11111 Rn:5 Rt:5',
    ({ sz, L, Rs, o0, Rn, Rt }) => {
      // The registers of a pair are an even one and the next.
      if (((Rs | Rt) & 1) === 1) return undefined;
      return {
        kind: 'compare-and-swap',
        op: `casp${L === 1 ? 'a' : ''}${o0 === 1 ? 'l' : ''}`,
        pair: true,
        size: 2 + sz,
        rs: Rs,
        rt: Rt,
        rn: Rn,
      };
    },
  ),
  encodingClass(
    'Load/store ordered',
    'size:2 001000 1 L 0 Rs:5 o0 Rt2:5 Rn:5 Rt:5',
    ({ size, L, o0, Rn, Rt }) => {
      // LDLAR and STLLR are of a later architecture.
      if (o0 === 0) return undefined;
      return {
        kind: 'load-store-ordered',
        op: `${L === 1 ? 'ldar' : 'stlr'}${sizeSuffixes[size]}`,
        load: L === 1,
        size,
        rt: orZero(Rt),
        rn: Rn,
      };
    },
  ),
  encodingClass(
    'Compare and swap',
    'size:2 001000 1 L 1 Rs:5 o0 11111 Rn:5 Rt:5',
    ({ size, L, Rs, o0, Rn, Rt }) => ({
      kind: 'compare-and-swap',
      op: `cas${L === 1 ? 'a' : ''}${o0 === 1 ? 'l' : ''}${sizeSuffixes[size]}`,
      pair: false,
      size,
      rs: orZero(Rs),
      rt: orZero(Rt),
      rn: Rn,
    }),
  ),
  encodingClass(
    'Atomic memory operations',
    'size:2 111 0 00 A R 1 Rs:5 o3 opc:3 00 Rn:5 Rt:5',
    ({ size, A, R, Rs, o3, opc, Rn, Rt }) => {
      // With o3, only SWP; LDAPR is of a later architecture.
      if (o3 === 1 && opc !== 0) return undefined;
      const operation = o3 === 1 ? 'swp' : (atomics[opc] ?? 'add');
      const order = `${A === 1 ? 'a' : ''}${R === 1 ? 'l' : ''}`;
      return {
        kind: 'atomic',
        op: `${o3 === 1 ? '' : 'ld'}${operation}${order}${sizeSuffixes[size]}`,
        operation,
        size,
        rs: orZero(Rs),
        rt: orZero(Rt),
        rn: Rn,
      };
    },
  ),
];
