import { moduleIndex } from './build-module.ts';
import { type GuestFunction, local, popVector } from './guest-function.ts';
import { simdOp, wasmOp } from './wasm.ts';

/** WebAssembly's operations on lanes of one width. */
export interface LaneOps {
  readonly splat: number;
  readonly extract: number;
  readonly eq: number;
  readonly lt: number;
  readonly gt: number;
  readonly le: number;
  readonly ge: number;
  readonly abs: number;
  readonly neg: number;
  readonly sqrt: number;
  readonly add: number;
  readonly sub: number;
  readonly mul: number;
  readonly div: number;
  readonly min: number;
  readonly max: number;
  readonly fuse: number;
  readonly infinity: bigint;
  readonly least: bigint;
}

const singles: LaneOps = {
  splat: simdOp.f32x4Splat,
  extract: simdOp.f32x4Extract,
  eq: simdOp.f32x4Eq,
  lt: simdOp.f32x4Lt,
  gt: simdOp.f32x4Gt,
  le: simdOp.f32x4Le,
  ge: simdOp.f32x4Ge,
  abs: simdOp.f32x4Abs,
  neg: simdOp.f32x4Neg,
  sqrt: simdOp.f32x4Sqrt,
  add: simdOp.f32x4Add,
  sub: simdOp.f32x4Sub,
  mul: simdOp.f32x4Mul,
  div: simdOp.f32x4Div,
  min: simdOp.f32x4Min,
  max: simdOp.f32x4Max,
  fuse: moduleIndex.fuse32x4,
  infinity: 0x7f8000007f800000n,
  least: 0x0080000000800000n,
};
export const doubles: LaneOps = {
  splat: simdOp.f64x2Splat,
  extract: simdOp.f64x2Extract,
  eq: simdOp.f64x2Eq,
  lt: simdOp.f64x2Lt,
  gt: simdOp.f64x2Gt,
  le: simdOp.f64x2Le,
  ge: simdOp.f64x2Ge,
  abs: simdOp.f64x2Abs,
  neg: simdOp.f64x2Neg,
  sqrt: simdOp.f64x2Sqrt,
  add: simdOp.f64x2Add,
  sub: simdOp.f64x2Sub,
  mul: simdOp.f64x2Mul,
  div: simdOp.f64x2Div,
  min: simdOp.f64x2Min,
  max: simdOp.f64x2Max,
  fuse: moduleIndex.fuse64x2,
  infinity: 0x7ff0000000000000n,
  least: 0x0010000000000000n,
};

export function opsOf(size: number): LaneOps {
  return size === 3 ? doubles : singles;
}

/** Whether a mask, on the stack, holds in all lanes that are the instruction's. */
export function pushAll({ body }: GuestFunction, bytes: number): void {
  if (bytes === 16) body.simd(simdOp.i32x4AllTrue);
  else if (bytes === 8) {
    body.simdLane(simdOp.i64x2Extract, 0);
    body.i64(-1n);
    body.op(wasmOp.i64Eq);
  } else body.simdLane(simdOp.i32x4Extract, 0);
}

/** The result, in `quad`, with zeros above what is the instruction's. */
export function popResult(guest: GuestFunction, register: number, bytes: number): void {
  const { body } = guest;
  body.get(local.quad);
  if (bytes === 4) {
    body.simdConstant(0xffffffffn, 0n);
    body.simd(simdOp.and);
  }
  popVector(guest, register, bytes !== 8);
}
