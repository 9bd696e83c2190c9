import { FunctionBody } from './function-body.ts';
import { valueType, wasmOp } from './wasm.ts';

/** (a, b) → the upper half of their product, from four of halves: Hacker's Delight, "mulhu". */
export function multiplyHighFunction(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 2);
  const [a, b] = [0, 1];
  const low = (of: number): void => {
    body.get(of);
    body.i64(0xffffffffn);
    body.op(wasmOp.i64And);
  };
  const high = (of: number): void => {
    body.get(of);
    body.i64(32n);
    body.op(wasmOp.i64ShrU);
  };
  const first = body.addLocal(valueType.i64);
  const second = body.addLocal(valueType.i64);
  // first = high(a) × low(b) + high(low(a) × low(b))
  high(a);
  low(b);
  body.op(wasmOp.i64Mul);
  low(a);
  low(b);
  body.op(wasmOp.i64Mul);
  body.i64(32n);
  body.op(wasmOp.i64ShrU, wasmOp.i64Add);
  body.set(first);
  // second = low(a) × high(b) + low(first)
  low(a);
  high(b);
  body.op(wasmOp.i64Mul);
  low(first);
  body.op(wasmOp.i64Add);
  body.set(second);
  high(a);
  high(b);
  body.op(wasmOp.i64Mul);
  high(first);
  high(second);
  body.op(wasmOp.i64Add, wasmOp.i64Add);
  return body.encode();
}
