import { flagsKind } from '../../interpret/flags-kind.ts';
import { wasmOp } from '../wasm.ts';
import type { ColdCode } from './cold-code.ts';

/** Is it a subtraction, does it set the flags: bits of all additions. */
export const subtracts: number = 1 << 30;
const setsFlags = 1 << 29;

/** Sums and differences of `x` and `y`; `b` says whether 31 is the zero register in any case. */
export function coldSum(code: ColdCode): void {
  code.set(
    'z',
    code.narrowed(
      code.choose(
        code.bits(subtracts),
        code.of(wasmOp.i64Sub, code.get('x'), code.get('y')),
        code.of(wasmOp.i64Add, code.get('x'), code.get('y')),
      ),
    ),
  );
  code.if(code.bits(setsFlags), () => {
    code.if(
      code.bits(subtracts),
      () => code.setFlags(flagsKind.subtract, { a: code.get('x'), b: code.get('y') }),
      () => code.setFlags(flagsKind.add, { a: code.get('x'), b: code.get('y') }),
    );
    code.set('b', () => code.body.i32(1));
  });
  code.if(
    code.get('b'),
    () => code.setRegisterOrZero(0, code.get('z')),
    () => code.setRegister(0, code.get('z')),
  );
  code.go('next');
}
