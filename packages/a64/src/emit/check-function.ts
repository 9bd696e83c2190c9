import { FunctionBody } from './function-body.ts';
import { machineLayout } from './machine-layout.ts';
import { valueType, wasmOp } from './wasm.ts';

/** (address, length, permissions) → 1 where each page of the range may be used so; it is not empty. */
export function checkFunction(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  const [address, length, permissions] = [0, 1, 2];
  const page = body.addLocal(valueType.i32);
  const last = body.addLocal(valueType.i32);
  const no = (): void => {
    body.open(wasmOp.if);
    body.i32(0);
    body.op(wasmOp.return);
    body.end();
  };
  body.get(address);
  body.i64(2n ** 32n);
  body.get(length);
  body.op(wasmOp.i64ExtendI32U, wasmOp.i64Sub, wasmOp.i64GtU);
  no();
  body.get(address);
  body.op(wasmOp.i32WrapI64);
  body.i32(12);
  body.op(wasmOp.i32ShrU);
  body.set(page);
  body.get(address);
  body.op(wasmOp.i32WrapI64);
  body.get(length);
  body.op(wasmOp.i32Add);
  body.i32(1);
  body.op(wasmOp.i32Sub);
  body.i32(12);
  body.op(wasmOp.i32ShrU);
  body.set(last);
  body.open(wasmOp.loop);
  body.get(page);
  body.memory(wasmOp.i32Load8U, machineLayout.permissions);
  body.get(permissions);
  body.op(wasmOp.i32And);
  body.get(permissions);
  body.op(wasmOp.i32Ne);
  no();
  body.get(page);
  body.i32(1);
  body.op(wasmOp.i32Add);
  body.tee(page);
  body.get(last);
  body.op(wasmOp.i32LeU);
  body.branch(wasmOp.brIf, 1);
  body.end();
  body.i32(1);
  return body.encode();
}
