import { cpuLayout } from '../interpret/cpu-layout.ts';
import { moduleIndex } from './build-module.ts';
import { FunctionBody } from './function-body.ts';
import { machineLayout } from './machine-layout.ts';
import { tableIndex } from './table-functions.ts';
import { valueType, wasmOp } from './wasm.ts';

/**
 * (pc, open calls) → where to go on: what the branch cache has for an address is called, else what
 * runs cold code. A jump does not come back, so that tables of branches do not grow the stack.
 */
export function dispatchFunction(how: 'call' | 'jump'): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 2);
  const [pc, depth] = [0, 1];
  const entry = body.addLocal(valueType.i32);
  const isHere = (): void => {
    body.memory(wasmOp.i64Load, machineLayout.cache);
    body.get(pc);
    body.i64(1n);
    body.op(wasmOp.i64Or, wasmOp.i64Eq);
    body.open(wasmOp.if);
  };
  body.get(pc);
  body.op(wasmOp.i32WrapI64);
  body.i32(2);
  body.op(wasmOp.i32ShrU);
  body.i32(machineLayout.cacheEntries - 1);
  body.op(wasmOp.i32And);
  body.i32(4);
  body.op(wasmOp.i32Shl);
  body.tee(entry);
  isHere();
  const run = (pushIndex: () => void): void => {
    body.get(depth);
    pushIndex();
    if (how === 'jump') body.returnCallIndirect(moduleIndex.guestType);
    else {
      body.callIndirect(moduleIndex.guestType);
      body.op(wasmOp.return);
    }
  };
  const runEntry = (): void =>
    run(() => {
      body.get(entry);
      body.memory(wasmOp.i32Load, machineLayout.cache + 8);
    });
  runEntry();
  body.end();
  body.get(entry);
  body.i32(16);
  body.op(wasmOp.i32Xor);
  body.tee(entry);
  isHere();
  runEntry();
  body.end();
  body.i32(0);
  body.get(pc);
  body.memory(wasmOp.i64Store, machineLayout.state + cpuLayout.pc);
  run(() => body.i32(tableIndex.cold));
  body.op(wasmOp.unreachable);
  return body.encode();
}
