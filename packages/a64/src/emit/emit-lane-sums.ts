import type { VectorInstruction } from '../vector-instruction.ts';
import { type GuestFunction, local, popVector, pushVector } from './guest-function.ts';
import { arithmeticOp } from './simd-lane-operations.ts';
import { simdOp } from './wasm.ts';

type Of<Kind extends VectorInstruction['kind']> = Extract<
  VectorInstruction,
  { readonly kind: Kind }
>;

/** Replaces lanes on the stack by the sums of neighbours, twice as wide. */
function addPairs({ body }: GuestFunction, size: number, signed: boolean): void {
  if (size < 2) {
    const first = size === 0 ? simdOp.i16x8ExtAddPairwiseI8x16S : simdOp.i32x4ExtAddPairwiseI16x8S;
    body.simd(first + (signed ? 0 : 1));
    return;
  }
  const down = signed ? simdOp.i64x2ShrS : simdOp.i64x2ShrU;
  body.set(local.quad);
  body.get(local.quad);
  body.i32(32);
  body.simd(arithmeticOp('shl', 3));
  body.i32(32);
  body.simd(down);
  body.get(local.quad);
  body.i32(32);
  body.simd(down);
  body.simd(simdOp.i64x2Add);
}

/** SADDLP, UADDLP and those that add to what is there. */
export function emitAddPairs(
  guest: GuestFunction,
  { op, size, lanes, rd, rn }: Of<'vector-add-long-pairs'>,
): void {
  const { body } = guest;
  pushVector(guest, rn);
  addPairs(guest, size, op.startsWith('s'));
  if (op.endsWith('adalp')) {
    pushVector(guest, rd);
    body.simd(arithmeticOp('add', size + 1));
  }
  popVector(guest, rd, lanes << size === 16);
}

const operations = {
  addv: 'add',
  saddlv: 'add',
  uaddlv: 'add',
  smaxv: 'smax',
  umaxv: 'umax',
  sminv: 'smin',
  uminv: 'umin',
} as const;

/** One number of all lanes: the upper half with the lower one, until a lane is left. */
export function emitAcross(
  guest: GuestFunction,
  { op, size, lanes, rd, rn }: Of<'vector-across'>,
): void {
  const { body } = guest;
  const long = op === 'saddlv' || op === 'uaddlv';
  const width = long ? size + 1 : size;
  pushVector(guest, rn);
  if (long) addPairs(guest, size, op === 'saddlv');
  body.set(local.quad);
  const operation = arithmeticOp(operations[op], width);
  for (let half = (lanes << size) / 2; half >= 1 << width; half /= 2) {
    body.get(local.quad);
    body.get(local.quad);
    body.get(local.quad);
    body.shuffle(Array.from({ length: 16 }, (_, at) => (at + half) % 16));
    body.simd(operation);
    body.set(local.quad);
  }
  body.get(local.quad);
  body.simdConstant((1n << BigInt(8 << width)) - 1n, 0n);
  body.simd(simdOp.and);
  popVector(guest, rd, true);
}
