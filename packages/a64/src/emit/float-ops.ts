import type { FunctionBody } from './function-body.ts';
import { local } from './guest-function.ts';
import { simdOp, wasmOp, type WasmOp } from './wasm.ts';

/** WebAssembly's operations for one width. */
export interface FloatOps {
  readonly extract: number;
  readonly replace: number;
  readonly add: WasmOp;
  readonly sub: WasmOp;
  readonly mul: WasmOp;
  readonly div: WasmOp;
  readonly min: WasmOp;
  readonly max: WasmOp;
  readonly sqrt: WasmOp;
  readonly abs: WasmOp;
  readonly neg: WasmOp;
  readonly ceil: WasmOp;
  readonly floor: WasmOp;
  readonly trunc: WasmOp;
  readonly nearest: WasmOp;
  readonly eq: WasmOp;
  readonly lt: WasmOp;
  readonly le: WasmOp;
  readonly gt: WasmOp;
  readonly ge: WasmOp;
  /** The local for results. */
  readonly result: number;
  /** Where the low numbers of vector registers are once more. */
  readonly copies: number;
  readonly width: 32 | 64;
  readonly constant: (body: FunctionBody, value: number) => void;
  /** The least number that is not denormal. */
  readonly least: number;
}

const double: FloatOps = {
  extract: simdOp.f64x2Extract,
  replace: simdOp.f64x2Replace,
  add: wasmOp.f64Add,
  sub: wasmOp.f64Sub,
  mul: wasmOp.f64Mul,
  div: wasmOp.f64Div,
  min: wasmOp.f64Min,
  max: wasmOp.f64Max,
  sqrt: wasmOp.f64Sqrt,
  abs: wasmOp.f64Abs,
  neg: wasmOp.f64Neg,
  ceil: wasmOp.f64Ceil,
  floor: wasmOp.f64Floor,
  trunc: wasmOp.f64Trunc,
  nearest: wasmOp.f64Nearest,
  eq: wasmOp.f64Eq,
  lt: wasmOp.f64Lt,
  le: wasmOp.f64Le,
  gt: wasmOp.f64Gt,
  ge: wasmOp.f64Ge,
  result: local.double,
  copies: local.doubles,
  width: 64,
  constant: (body: FunctionBody, value: number) => body.f64(value),
  least: 2 ** -1022,
};

const single: FloatOps = {
  extract: simdOp.f32x4Extract,
  replace: simdOp.f32x4Replace,
  add: wasmOp.f32Add,
  sub: wasmOp.f32Sub,
  mul: wasmOp.f32Mul,
  div: wasmOp.f32Div,
  min: wasmOp.f32Min,
  max: wasmOp.f32Max,
  sqrt: wasmOp.f32Sqrt,
  abs: wasmOp.f32Abs,
  neg: wasmOp.f32Neg,
  ceil: wasmOp.f32Ceil,
  floor: wasmOp.f32Floor,
  trunc: wasmOp.f32Trunc,
  nearest: wasmOp.f32Nearest,
  eq: wasmOp.f32Eq,
  lt: wasmOp.f32Lt,
  le: wasmOp.f32Le,
  gt: wasmOp.f32Gt,
  ge: wasmOp.f32Ge,
  result: local.single,
  copies: local.singles,
  width: 32,
  constant: (body: FunctionBody, value: number) => body.f32(value),
  least: 2 ** -126,
};

export function floatOps(width: 16 | 32 | 64): FloatOps {
  return width === 64 ? double : single;
}
