import { FunctionBody } from '../function-body.ts';
import { machineLayout } from '../machine-layout.ts';
import { wasmOp } from '../wasm.ts';

/** (checksum, data, bytes, table) → the checksum after so many bytes, the low ones of the data. */
export function crc32Function(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 4);
  const [checksum, data, bytes, table] = [0, 1, 2, 3];
  body.open(wasmOp.loop);
  const again = body.depth;
  body.get(checksum);
  body.i32(8);
  body.op(wasmOp.i32ShrU);
  body.get(checksum);
  body.get(data);
  body.op(wasmOp.i32WrapI64, wasmOp.i32Xor);
  body.i32(255);
  body.op(wasmOp.i32And);
  body.i32(2);
  body.op(wasmOp.i32Shl);
  body.get(table);
  body.op(wasmOp.i32Add);
  body.memory(wasmOp.i32Load, machineLayout.checksums);
  body.op(wasmOp.i32Xor);
  body.set(checksum);
  body.get(data);
  body.i64(8n);
  body.op(wasmOp.i64ShrU);
  body.set(data);
  body.get(bytes);
  body.i32(1);
  body.op(wasmOp.i32Sub);
  body.tee(bytes);
  body.branch(wasmOp.brIf, again);
  body.end();
  body.get(checksum);
  return body.encode();
}
