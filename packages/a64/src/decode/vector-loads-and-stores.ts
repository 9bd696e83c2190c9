import type { Instruction } from '../instruction.ts';
import type { PostIndex } from '../memory-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';

/** Registers and elements of a structure, by opcode. */
const structures: Readonly<Record<number, readonly [registers: number, elements: number]>> = {
  0: [4, 4],
  2: [4, 1],
  4: [3, 3],
  6: [3, 1],
  7: [1, 1],
  8: [2, 2],
  10: [2, 1],
};

interface Multiple {
  readonly Q: number;
  readonly L: number;
  readonly opcode: number;
  readonly size: number;
  readonly Rn: number;
  readonly Rt: number;
}

function multiple(fields: Multiple, postIndex: PostIndex | undefined): Instruction | undefined {
  const { Q, L, opcode, size, Rn, Rt } = fields;
  const [registers, elements] = structures[opcode] ?? [0, 0];
  if (registers === 0 || (elements > 1 && size === 3 && Q === 0)) return undefined;
  return {
    kind: 'load-store-structures',
    op: `${L === 1 ? 'ld' : 'st'}${elements}`,
    load: L === 1,
    q: Q === 1,
    size,
    registers,
    elements,
    rt: Rt,
    rn: Rn,
    postIndex,
  };
}

interface Single extends Multiple {
  readonly R: number;
  readonly S: number;
}

function single(fields: Single, postIndex: PostIndex | undefined): Instruction | undefined {
  const { Q, L, R, opcode, S, size, Rn, Rt } = fields;
  const elements = ((opcode & 1) << 1) + R + 1;
  const lane = laneOf({ scale: opcode >> 1, Q, S, size });
  if (lane === undefined || (lane.index === undefined && (L === 0 || S === 1))) return undefined;
  return {
    kind: 'load-store-lane',
    op: `${L === 1 ? 'ld' : 'st'}${elements}${lane.index === undefined ? 'r' : ''}`,
    load: L === 1,
    q: Q === 1,
    ...lane,
    elements,
    rt: Rt,
    rn: Rn,
    postIndex,
  };
}

function laneOf(fields: {
  readonly scale: number;
  readonly Q: number;
  readonly S: number;
  readonly size: number;
}): { readonly size: number; readonly index: number | undefined } | undefined {
  const { scale, Q, S, size } = fields;
  if (scale === 3) return { size, index: undefined };
  if (scale === 0) return { size: 0, index: (Q << 3) | (S << 2) | size };
  if (scale === 1) {
    return (size & 1) === 1 ? undefined : { size: 1, index: (Q << 2) | (S << 1) | (size >> 1) };
  }
  if (size === 0) return { size: 2, index: (Q << 1) | S };
  return size === 1 && S === 0 ? { size: 3, index: Q } : undefined;
}

function post(Rm: number): PostIndex {
  return { rm: Rm === 31 ? undefined : Rm };
}

/** Arm ARM C4.1, "Loads and Stores", Advanced SIMD structures. */
export const vectorLoadsAndStores: readonly EncodingClass[] = [
  encodingClass(
    'Advanced SIMD load/store multiple structures',
    '0 Q 0011000 L 000000 opcode:4 size:2 Rn:5 Rt:5',
    (fields) => multiple(fields, undefined),
  ),
  encodingClass(
    'Advanced SIMD load/store multiple structures (post-indexed)',
    '0 Q 0011001 L 0 Rm:5 opcode:4 size:2 Rn:5 Rt:5',
    (fields) => multiple(fields, post(fields.Rm)),
  ),
  encodingClass(
    'Advanced SIMD load/store single structure',
    '0 Q 0011010 L R 00000 opcode:3 S size:2 Rn:5 Rt:5',
    (fields) => single(fields, undefined),
  ),
  encodingClass(
    'Advanced SIMD load/store single structure (post-indexed)',
    '0 Q 0011011 L R Rm:5 opcode:3 S size:2 Rn:5 Rt:5',
    (fields) => single(fields, post(fields.Rm)),
  ),
];
