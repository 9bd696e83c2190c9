import { wasmOp } from '../wasm.ts';
import type { ColdCode } from './cold-code.ts';

/** `y` becomes what opc says of `x` and `y`, in the instruction's width. */
export function coldLogical(code: ColdCode): void {
  const opc = code.field(29, 2);
  code.if(
    code.of(wasmOp.i32Eq, opc, 1),
    () => code.set('y', code.of(wasmOp.i64Or, code.get('x'), code.get('y'))),
    () =>
      code.if(
        code.of(wasmOp.i32Eq, opc, 2),
        () => code.set('y', code.of(wasmOp.i64Xor, code.get('x'), code.get('y'))),
        () => code.set('y', code.of(wasmOp.i64And, code.get('x'), code.get('y'))),
      ),
  );
  code.set('y', code.narrowed(code.get('y')));
}
