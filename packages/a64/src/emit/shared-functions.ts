import type { ModuleFunction } from './build-module.ts';
import { checkFunction } from './check-function.ts';
import { dispatchFunction } from './dispatch-function.ts';
import { FunctionBody } from './function-body.ts';
import { fuse32, fuse32x4, fuse64, fuse64x2 } from './fuse-functions.ts';
import { writeFlagsFunction } from './lazy-flags.ts';
import { multiplyHighFunction } from './multiply-high-function.ts';
import { valueType } from './wasm.ts';

/** Those that all modules have, as `moduleIndex` numbers them. */
export function sharedFunctions(): readonly ModuleFunction[] {
  return [
    { code: flagsFunction(), type: 'flags' },
    { code: dispatchFunction('call'), type: 'dispatch' },
    { code: dispatchFunction('jump'), type: 'dispatch' },
    { code: checkFunction(), type: 'check' },
    { code: fuse64(), type: 'fuse64' },
    { code: fuse32(), type: 'fuse32' },
    { code: fuse64x2(), type: 'fuseVector' },
    { code: fuse32x4(), type: 'fuseVector' },
    { code: multiplyHighFunction(), type: 'multiplyHigh' },
  ];
}

function flagsFunction(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 4);
  writeFlagsFunction(body, body.addLocal(valueType.i64));
  return body.encode();
}
