import { buildModule, moduleIndex, type ModuleFunction } from './build-module.ts';
import type { ReadWord } from './find-blocks.ts';
import { FunctionBody } from './function-body.ts';
import { writeFlagsFunction } from './lazy-flags.ts';
import { isTranslatable, translateFunction } from './translate-function.ts';
import { valueType, wasmOp } from './wasm.ts';

export interface Translation {
  /** A module; its exports are named for the addresses of `entries`, in hexadecimal. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly entries: readonly number[];
}

/** Entries of the branch cache: 16 bytes each, an address with its lowest bit set and a table index. */
export const branchCacheEntries = 16_384;

/** Functions of one module, which call each other directly; those that cannot be are left out. */
export function translate(entries: readonly number[], readWord: ReadWord): Translation {
  const known = entries.filter((entry) => isTranslatable(entry, readWord));
  const indexes = new Map(
    known.map((entry, index) => [entry, moduleIndex.firstGuestFunction + index]),
  );
  const functions: ModuleFunction[] = [
    { code: flagsFunction(), type: 'flags' },
    { code: dispatchFunction(), type: 'dispatch' },
  ];
  for (const entry of known) {
    const code = translateFunction(entry, { readWord, functionIndex: (pc) => indexes.get(pc) });
    functions.push({ code, type: 'guest', name: entry.toString(16) });
  }
  return { bytes: buildModule(functions), entries: known };
}

function flagsFunction(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([]);
  const result = 4;
  body.addLocal(valueType.i64);
  writeFlagsFunction(body, result);
  return body.encode();
}

/** (pc) → where to go on: what the cache has for it is called, else it is the address itself. */
function dispatchFunction(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([]);
  const pc = 0;
  const entry = 1;
  body.addLocal(valueType.i32);
  body.get(pc);
  body.op(wasmOp.i32WrapI64);
  body.i32(2);
  body.op(wasmOp.i32ShrU);
  body.i32(branchCacheEntries - 1);
  body.op(wasmOp.i32And);
  body.i32(4);
  body.op(wasmOp.i32Shl);
  body.global(moduleIndex.cacheGlobal);
  body.op(wasmOp.i32Add);
  body.tee(entry);
  body.memory(wasmOp.i64Load, 0);
  body.get(pc);
  body.i64(1n);
  body.op(wasmOp.i64Or, wasmOp.i64Eq);
  body.open(wasmOp.if);
  body.get(entry);
  body.memory(wasmOp.i32Load, 8);
  body.returnCallIndirect(moduleIndex.guestType);
  body.end();
  body.get(pc);
  return body.encode();
}
