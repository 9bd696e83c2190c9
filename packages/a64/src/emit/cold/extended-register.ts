import { wasmOp } from '../wasm.ts';
import type { ColdCode, Push } from './cold-code.ts';

/** Rm as bits 15 to 13 say: UXTB to SXTX. */
export function extendedRegister(code: ColdCode): Push {
  // 56, 48, 32, 0: what is not of the operand goes out at the top.
  const unused = code.of(
    wasmOp.i64ExtendI32U,
    code.of(
      wasmOp.i32And,
      code.of(wasmOp.i32Sub, 64, code.of(wasmOp.i32Shl, 8, code.field(13, 2))),
      63,
    ),
  );
  const top = code.of(wasmOp.i64Shl, code.registerOrZero(16), unused);
  return code.choose(
    code.bits(1 << 15),
    code.of(wasmOp.i64ShrS, top, unused),
    code.of(wasmOp.i64ShrU, top, unused),
  );
}
