import { flagsKind } from '../../interpret/flags-kind.ts';
import { wasmOp } from '../wasm.ts';
import { type ColdCode, type Push } from './cold-code.ts';
import { coldLogical } from './cold-logical.ts';

/** Integers with immediates. Each ends by going to a label. */
export const coldImmediates = {
  address: (code: ColdCode): void => {
    const immediate = code.of(
      wasmOp.i32Or,
      code.of(wasmOp.i32Shl, code.signedField(5, 19), 2),
      code.field(29, 2),
    );
    const pc = code.of(wasmOp.i64ExtendI32U, code.get('pc'));
    const distance = code.of(wasmOp.i64ExtendI32S, immediate);
    const page = code.of(
      wasmOp.i64Add,
      code.of(wasmOp.i64And, pc, code.i64(-4096n)),
      code.of(wasmOp.i64Shl, distance, code.i64(12n)),
    );
    code.setRegisterOrZero(
      0,
      code.choose(code.field(31, 1), page, code.of(wasmOp.i64Add, pc, distance)),
    );
    code.go('next');
  },

  'add-subtract-immediate': (code: ColdCode): void => {
    const shift = code.of(wasmOp.i32Mul, code.field(22, 1), 12);
    const value = code.of(wasmOp.i32Shl, code.field(10, 12), shift);
    code.set('x', code.register(5));
    code.set('y', code.of(wasmOp.i64ExtendI32U, value));
    code.set('b', () => code.body.i32(0));
    code.go('sum');
  },

  'logical-immediate': (code: ColdCode): void => {
    const n = code.field(22, 1);
    code.goIf(code.of(wasmOp.i32And, n, code.of(wasmOp.i32Eqz, code.wide)), 'slow');
    const length = code.of(
      wasmOp.i32Or,
      code.of(wasmOp.i32Shl, n, 6),
      code.of(wasmOp.i32Xor, code.field(10, 6), 63),
    );
    // a: the element's bits less one; b: ones less one. Arm ARM, DecodeBitMasks.
    code.set('b', length);
    code.goIf(code.of(wasmOp.i32LtU, code.get('b'), 2), 'slow');
    const top = code.of(wasmOp.i32Sub, 31, code.of(wasmOp.i32Clz, code.get('b')));
    code.set('a', code.of(wasmOp.i32Sub, code.of(wasmOp.i32Shl, 1, top), 1));
    code.set('b', code.of(wasmOp.i32And, code.field(10, 6), code.get('a')));
    code.goIf(code.of(wasmOp.i32Eq, code.get('a'), code.get('b')), 'slow');
    const wide = (push: Push): Push => code.of(wasmOp.i64ExtendI32U, push);
    const less = code.of(wasmOp.i32Sub, 63, code.get('a'));
    // z: all ones of an element.
    code.set('z', code.of(wasmOp.i64ShrU, code.i64(-1n), wide(less)));
    const run = code.of(
      wasmOp.i64ShrU,
      code.i64(-1n),
      wide(code.of(wasmOp.i32Sub, 63, code.get('b'))),
    );
    const right = wide(code.of(wasmOp.i32And, code.field(16, 6), code.get('a')));
    const size = wide(code.of(wasmOp.i32Add, code.get('a'), 1));
    const rotated = code.of(
      wasmOp.i64Or,
      code.of(wasmOp.i64ShrU, run, right),
      code.of(wasmOp.i64Shl, run, code.of(wasmOp.i64Sub, size, right)),
    );
    const element = code.of(wasmOp.i64And, rotated, code.get('z'));
    // Times 1 in each place that an element has.
    code.set(
      'y',
      code.of(wasmOp.i64Mul, element, code.of(wasmOp.i64DivU, code.i64(-1n), code.get('z'))),
    );
    code.set('x', code.registerOrZero(5));
    coldLogical(code);
    code.if(code.of(wasmOp.i32Eq, code.field(29, 2), 3), () => {
      code.setFlags(flagsKind.logical, { a: code.get('y'), b: code.i64(0n) });
      code.setRegisterOrZero(0, code.get('y'));
      code.go('next');
    });
    code.setRegister(0, code.get('y'));
    code.go('next');
  },

  'move-wide': (code: ColdCode): void => {
    const shift = code.of(wasmOp.i64ExtendI32U, code.of(wasmOp.i32Shl, code.field(21, 2), 4));
    const opc = code.field(29, 2);
    code.goIf(code.of(wasmOp.i32Eq, opc, 1), 'slow');
    const none = code.of(wasmOp.i32And, code.of(wasmOp.i32Eqz, code.wide), code.field(22, 1));
    code.goIf(none, 'slow');
    code.set('x', code.of(wasmOp.i64Shl, code.of(wasmOp.i64ExtendI32U, code.field(5, 16)), shift));
    code.if(code.of(wasmOp.i32Eqz, opc), () =>
      code.set('x', code.of(wasmOp.i64Xor, code.get('x'), code.i64(-1n))),
    );
    code.if(code.of(wasmOp.i32Eq, opc, 3), () => {
      const hole = code.of(wasmOp.i64Shl, code.i64(0xffffn), shift);
      const kept = code.of(
        wasmOp.i64And,
        code.registerOrZero(0),
        code.of(wasmOp.i64Xor, hole, code.i64(-1n)),
      );
      code.set('x', code.of(wasmOp.i64Or, kept, code.get('x')));
    });
    code.setRegisterOrZero(0, code.narrowed(code.get('x')));
    code.go('next');
  },

  bitfield: (code: ColdCode): void => {
    const opc = code.field(29, 2);
    code.goIf(code.of(wasmOp.i32Eq, opc, 3), 'slow');
    code.goIf(code.of(wasmOp.i32Ne, code.field(22, 1), code.wide), 'slow');
    // Bit 5 of either in an instruction of 32 bits.
    const beyond = code.bits((1 << 21) | (1 << 15));
    code.goIf(
      code.choose(code.wide, () => code.body.i32(0), beyond),
      'slow',
    );
    code.set('a', code.field(16, 6));
    code.set('b', code.field(10, 6));
    code.set('c', code.of(wasmOp.i32GeU, code.get('b'), code.get('a')));
    // x: the field's last bit goes to the top, and back; what is inserted goes up then.
    const up = code.of(wasmOp.i64ExtendI32U, code.of(wasmOp.i32Sub, 63, code.get('b')));
    code.set('x', code.of(wasmOp.i64Shl, code.registerOrZero(5), up));
    code.set('z', code.of(wasmOp.i64Shl, code.i64(-1n), up));
    const right = code.of(
      wasmOp.i64ExtendI32U,
      code.of(
        wasmOp.i32Add,
        code.of(wasmOp.i32Sub, 63, code.get('b')),
        code.of(wasmOp.i32Mul, code.get('a'), code.get('c')),
      ),
    );
    code.set(
      'x',
      code.choose(
        opc,
        code.of(wasmOp.i64ShrU, code.get('x'), right),
        code.of(wasmOp.i64ShrS, code.get('x'), right),
      ),
    );
    code.set('z', code.of(wasmOp.i64ShrU, code.get('z'), right));
    const bits = code.of(wasmOp.i32Shl, 32, code.wide);
    const left = code.of(
      wasmOp.i64ExtendI32U,
      code.of(
        wasmOp.i32Mul,
        code.of(wasmOp.i32Sub, bits, code.get('a')),
        code.of(wasmOp.i32Eqz, code.get('c')),
      ),
    );
    code.set('x', code.of(wasmOp.i64Shl, code.get('x'), left));
    code.if(code.of(wasmOp.i32Eq, opc, 1), () => {
      const hole = code.of(wasmOp.i64Shl, code.get('z'), left);
      const kept = code.of(
        wasmOp.i64And,
        code.registerOrZero(0),
        code.of(wasmOp.i64Xor, hole, code.i64(-1n)),
      );
      code.set('x', code.of(wasmOp.i64Or, kept, code.get('x')));
    });
    code.setRegisterOrZero(0, code.narrowed(code.get('x')));
    code.go('next');
  },

  extract: (code: ColdCode): void => {
    const amount = code.field(10, 6);
    code.goIf(code.of(wasmOp.i32Ne, code.field(22, 1), code.wide), 'slow');
    const up = code.of(wasmOp.i64ExtendI32U, amount);
    code.if(
      code.wide,
      () => {
        // A shift by 64 is one by nothing, and there is none where the amount is zero.
        const high = code.of(
          wasmOp.i64Shl,
          code.registerOrZero(5),
          code.of(wasmOp.i64Sub, code.i64(64n), up),
        );
        const both = code.of(
          wasmOp.i64Or,
          code.of(wasmOp.i64ShrU, code.registerOrZero(16), up),
          high,
        );
        code.set('x', code.choose(amount, both, code.registerOrZero(16)));
      },
      () => {
        code.goIf(code.bits(1 << 15), 'slow');
        const high = code.of(wasmOp.i64Shl, code.registerOrZero(5), code.i64(32n));
        const low = code.of(wasmOp.i64And, code.registerOrZero(16), code.i64(0xffffffffn));
        code.set('x', code.of(wasmOp.i64ShrU, code.of(wasmOp.i64Or, high, low), up));
      },
    );
    code.setRegisterOrZero(0, code.narrowed(code.get('x')));
    code.go('next');
  },
} as const;
