import { flagsKind } from '../../interpret/flags-kind.ts';
import { moduleIndex } from '../build-module.ts';
import { simdOp, wasmOp } from '../wasm.ts';
import { type ColdCode, type Push, statePlace } from './cold-code.ts';
import { coldLogical } from './cold-logical.ts';
import { subtracts } from './cold-sum.ts';
import { extendedRegister } from './extended-register.ts';

/** Integers in registers. Each ends by going to a label. */
export const coldRegisters = {
  shifted: (code: ColdCode): void => {
    const amount = code.field(10, 6);
    code.set('x', code.registerOrZero(5));
    code.set('y', code.registerOrZero(16));
    code.set('b', () => code.body.i32(1));
    code.set('a', code.field(22, 2));
    const sum = code.bits(1 << 24);
    // ROR is for logical ones only.
    code.goIf(
      code.of(
        wasmOp.i32And,
        code.of(wasmOp.i32Eq, code.get('a'), 3),
        code.of(wasmOp.i32Ne, sum, 0),
      ),
      'slow',
    );
    code.if(code.bits(0x00c0fc00), () => {
      code.goIf(
        code.of(wasmOp.i32And, code.of(wasmOp.i32Eqz, code.wide), code.field(15, 1)),
        'slow',
      );
      const by = code.of(wasmOp.i64ExtendI32U, amount);
      code.if(code.of(wasmOp.i32Eqz, code.wide), () => {
        code.set(
          'y',
          code.choose(
            code.of(wasmOp.i32Eq, code.get('a'), 2),
            code.of(wasmOp.i64Extend32S, code.get('y')),
            code.of(wasmOp.i64And, code.get('y'), code.i64(0xffffffffn)),
          ),
        );
      });
      code.if(
        code.of(wasmOp.i32Eqz, code.get('a')),
        () => code.set('y', code.of(wasmOp.i64Shl, code.get('y'), by)),
        () =>
          code.if(
            code.of(wasmOp.i32Eq, code.get('a'), 1),
            () => code.set('y', code.of(wasmOp.i64ShrU, code.get('y'), by)),
            () =>
              code.if(
                code.of(wasmOp.i32Eq, code.get('a'), 2),
                () => code.set('y', code.of(wasmOp.i64ShrS, code.get('y'), by)),
                () => {
                  // ROR of 32 bits: twice the same, of which the lower half is taken.
                  code.if(code.of(wasmOp.i32Eqz, code.wide), () =>
                    code.set(
                      'y',
                      code.of(
                        wasmOp.i64Or,
                        code.get('y'),
                        code.of(wasmOp.i64Shl, code.get('y'), code.i64(32n)),
                      ),
                    ),
                  );
                  code.set('y', code.of(wasmOp.i64Rotr, code.get('y'), by));
                },
              ),
          ),
      );
    });
    code.goIf(sum, 'sum');
    code.if(code.field(21, 1), () =>
      code.set('y', code.of(wasmOp.i64Xor, code.get('y'), code.i64(-1n))),
    );
    coldLogical(code);
    code.if(code.of(wasmOp.i32Eq, code.field(29, 2), 3), () =>
      code.setFlags(flagsKind.logical, { a: code.get('y'), b: code.i64(0n) }),
    );
    code.setRegisterOrZero(0, code.get('y'));
    code.go('next');
  },

  extended: (code: ColdCode): void => {
    const amount = code.field(10, 3);
    code.goIf(code.of(wasmOp.i32GtU, amount, 4), 'slow');
    code.set('x', code.register(5));
    code.set('y', extendedRegister(code));
    code.set('y', code.of(wasmOp.i64Shl, code.get('y'), code.of(wasmOp.i64ExtendI32U, amount)));
    code.set('b', () => code.body.i32(0));
    code.go('sum');
  },

  'conditional-compare': (code: ColdCode): void => {
    code.goIf(code.bits((1 << 10) | (1 << 4)), 'slow');
    code.if(
      code.condition(12),
      () => {
        code.set('x', code.registerOrZero(5));
        code.set(
          'y',
          code.choose(
            code.bits(1 << 11),
            code.of(wasmOp.i64ExtendI32U, code.field(16, 5)),
            code.registerOrZero(16),
          ),
        );
        code.if(
          code.bits(subtracts),
          () => code.setFlags(flagsKind.subtract, { a: code.get('x'), b: code.get('y') }),
          () => code.setFlags(flagsKind.add, { a: code.get('x'), b: code.get('y') }),
        );
      },
      () => setReady(code, code.field(0, 4)),
    );
    code.go('next');
  },

  'conditional-select': (code: ColdCode): void => {
    code.goIf(code.bits((1 << 11) | (1 << 29)), 'slow');
    code.set('x', code.registerOrZero(5));
    code.if(code.of(wasmOp.i32Eqz, code.condition(12)), () => {
      // CSINV, CSNEG invert; CSINC, CSNEG add one.
      const inverted = code.of(
        wasmOp.i64Sub,
        code.i64(0n),
        code.of(wasmOp.i64ExtendI32U, code.field(30, 1)),
      );
      code.set(
        'x',
        code.of(
          wasmOp.i64Add,
          code.of(wasmOp.i64Xor, code.registerOrZero(16), inverted),
          code.of(wasmOp.i64ExtendI32U, code.field(10, 1)),
        ),
      );
    });
    code.setRegisterOrZero(0, code.narrowed(code.get('x')));
    code.go('next');
  },

  'two-source': (code: ColdCode): void => {
    const opcode = code.field(10, 6);
    const shifts = code.of(wasmOp.i32Eq, code.of(wasmOp.i32And, opcode, 0x3c), 8);
    const divides = code.of(wasmOp.i32Eq, code.of(wasmOp.i32And, opcode, 0x3e), 2);
    code.goIf(code.bits(1 << 29), 'slow');
    code.goIf(code.of(wasmOp.i32Eqz, code.of(wasmOp.i32Or, shifts, divides)), 'slow');
    code.set('x', code.registerOrZero(5));
    code.set('y', code.registerOrZero(16));
    const signed = code.of(
      wasmOp.i32Or,
      code.of(wasmOp.i32Eq, opcode, 3),
      code.of(wasmOp.i32Eq, opcode, 10),
    );
    code.if(code.of(wasmOp.i32Eqz, code.wide), () => {
      for (const operand of ['x', 'y'] as const) {
        code.set(
          operand,
          code.choose(
            signed,
            code.of(wasmOp.i64Extend32S, code.get(operand)),
            code.of(wasmOp.i64And, code.get(operand), code.i64(0xffffffffn)),
          ),
        );
      }
    });
    code.if(
      divides,
      () => {
        const isZero = code.of(wasmOp.i64Eqz, code.get('y'));
        code.if(
          isZero,
          () => code.set('x', code.i64(0n)),
          () =>
            code.if(
              code.of(wasmOp.i32Eq, opcode, 2),
              () => code.set('x', code.of(wasmOp.i64DivU, code.get('x'), code.get('y'))),
              () =>
                // By -1 the quotient may not be there, which WebAssembly traps at.
                code.if(
                  code.of(wasmOp.i64Eq, code.get('y'), code.i64(-1n)),
                  () => code.set('x', code.of(wasmOp.i64Sub, code.i64(0n), code.get('x'))),
                  () => code.set('x', code.of(wasmOp.i64DivS, code.get('x'), code.get('y'))),
                ),
            ),
        );
      },
      () => {
        // Amounts are taken modulo the width.
        const most = code.of(
          wasmOp.i64ExtendI32U,
          code.of(wasmOp.i32Or, code.of(wasmOp.i32Shl, code.wide, 5), 31),
        );
        code.set('y', code.of(wasmOp.i64And, code.get('y'), most));
        code.if(
          code.of(wasmOp.i32Eq, opcode, 8),
          () => code.set('x', code.of(wasmOp.i64Shl, code.get('x'), code.get('y'))),
          () =>
            code.if(
              code.of(wasmOp.i32Eq, opcode, 9),
              () => code.set('x', code.of(wasmOp.i64ShrU, code.get('x'), code.get('y'))),
              () =>
                code.if(
                  code.of(wasmOp.i32Eq, opcode, 10),
                  () => code.set('x', code.of(wasmOp.i64ShrS, code.get('x'), code.get('y'))),
                  () => {
                    code.if(code.of(wasmOp.i32Eqz, code.wide), () =>
                      code.set(
                        'x',
                        code.of(
                          wasmOp.i64Or,
                          code.get('x'),
                          code.of(wasmOp.i64Shl, code.get('x'), code.i64(32n)),
                        ),
                      ),
                    );
                    code.set('x', code.of(wasmOp.i64Rotr, code.get('x'), code.get('y')));
                  },
                ),
            ),
        );
      },
    );
    code.setRegisterOrZero(0, code.narrowed(code.get('x')));
    code.go('next');
  },

  'one-source': (code: ColdCode): void => {
    const opcode = code.field(10, 11);
    code.goIf(code.bits(1 << 29), 'slow');
    code.set('x', code.narrowed(code.registerOrZero(5)));
    code.set('a', opcode);
    const upper = code.of(
      wasmOp.i64ExtendI32U,
      code.of(wasmOp.i32Shl, code.of(wasmOp.i32Eqz, code.wide), 5),
    );
    code.if(code.of(wasmOp.i32Eq, code.get('a'), 4), () => {
      const zeros = code.of(wasmOp.i64Clz, code.get('x'));
      code.setRegisterOrZero(0, code.of(wasmOp.i64Sub, zeros, upper));
      code.go('next');
    });
    code.if(code.of(wasmOp.i32Eq, code.get('a'), 1), () => {
      const halves = 0x00ff00ff00ff00ffn;
      const odd = code.of(
        wasmOp.i64And,
        code.of(wasmOp.i64ShrU, code.get('x'), code.i64(8n)),
        code.i64(halves),
      );
      const even = code.of(
        wasmOp.i64Shl,
        code.of(wasmOp.i64And, code.get('x'), code.i64(halves)),
        code.i64(8n),
      );
      code.setRegisterOrZero(0, code.of(wasmOp.i64Or, odd, even));
      code.go('next');
    });
    // RBIT, and REV of the whole width.
    const reverses = code.of(
      wasmOp.i32Or,
      code.of(wasmOp.i32Eqz, code.get('a')),
      code.of(wasmOp.i32Eq, code.get('a'), code.of(wasmOp.i32Add, code.wide, 2)),
    );
    code.goIf(code.of(wasmOp.i32Eqz, reverses), 'slow');
    code.if(code.of(wasmOp.i32Eqz, code.get('a')), () => {
      for (const [mask, by] of [
        [0x5555555555555555n, 1n],
        [0x3333333333333333n, 2n],
        [0x0f0f0f0f0f0f0f0fn, 4n],
      ] as const) {
        const odd = code.of(
          wasmOp.i64And,
          code.of(wasmOp.i64ShrU, code.get('x'), code.i64(by)),
          code.i64(mask),
        );
        const even = code.of(
          wasmOp.i64Shl,
          code.of(wasmOp.i64And, code.get('x'), code.i64(mask)),
          code.i64(by),
        );
        code.set('x', code.of(wasmOp.i64Or, odd, even));
      }
    });
    code.setRegisterOrZero(
      0,
      code.of(wasmOp.i64ShrU, () => reversedBytes(code), upper),
    );
    code.go('next');
  },

  'three-source': (code: ColdCode): void => {
    const { body } = code;
    // op31 and o0.
    code.set(
      'a',
      code.of(wasmOp.i32Or, code.of(wasmOp.i32Shl, code.field(21, 3), 1), code.field(15, 1)),
    );
    code.set('x', code.registerOrZero(5));
    code.set('y', code.registerOrZero(16));
    code.goIf(code.bits(0x60000000), 'slow');
    code.if(code.of(wasmOp.i32GtU, code.get('a'), 1), () => {
      code.goIf(code.of(wasmOp.i32Eqz, code.wide), 'slow');
      code.if(code.of(wasmOp.i32Eq, code.get('a'), 12), () => {
        code.setRegisterOrZero(0, () => {
          code.get('x')();
          code.get('y')();
          body.call(moduleIndex.multiplyHigh);
        });
        code.go('next');
      });
      const signed = code.of(wasmOp.i32Eq, code.of(wasmOp.i32And, code.get('a'), 14), 2);
      const unsigned = code.of(wasmOp.i32Eq, code.of(wasmOp.i32And, code.get('a'), 14), 10);
      code.goIf(code.of(wasmOp.i32Eqz, code.of(wasmOp.i32Or, signed, unsigned)), 'slow');
      for (const operand of ['x', 'y'] as const) {
        code.set(
          operand,
          code.choose(
            signed,
            code.of(wasmOp.i64Extend32S, code.get(operand)),
            code.of(wasmOp.i64And, code.get(operand), code.i64(0xffffffffn)),
          ),
        );
      }
    });
    code.set('x', code.of(wasmOp.i64Mul, code.get('x'), code.get('y')));
    code.set(
      'x',
      code.choose(
        code.field(15, 1),
        code.of(wasmOp.i64Sub, code.registerOrZero(10), code.get('x')),
        code.of(wasmOp.i64Add, code.registerOrZero(10), code.get('x')),
      ),
    );
    code.setRegisterOrZero(0, code.narrowed(code.get('x')));
    code.go('next');
  },
} as const;

/** The flags are given. */
function setReady(code: ColdCode, nzcv: Push): void {
  const ready: Push = () => code.body.i32(flagsKind.ready);
  code.store(wasmOp.i32Store, nzcv, { offset: statePlace.nzcv });
  code.store(wasmOp.i32Store, ready, { offset: statePlace.flagsKind });
}

/** The bytes of `x`, the other way round. */
function reversedBytes(code: ColdCode): void {
  const { body } = code;
  code.get('x')();
  body.simd(simdOp.i64x2Splat);
  code.get('x')();
  body.simd(simdOp.i64x2Splat);
  body.shuffle(Array.from({ length: 16 }, (_, at) => 7 - (at % 8)));
  body.simdLane(simdOp.i64x2Extract, 0);
}
