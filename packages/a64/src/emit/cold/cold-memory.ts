import { pagePermission, spanPermission } from '../../interpret/linear-memory.ts';
import { machineLayout } from '../machine-layout.ts';
import { simdOp, wasmOp, type WasmOp } from '../wasm.ts';
import { type ColdCode, type Push, statePlace } from './cold-code.ts';
import { extendedRegister } from './extended-register.ts';

const vectorBit = 1 << 26;
/** What is accessed at once is no longer. */
const longest = 32;

/** Loads and stores: addresses here, what is done there in {@link coldAccess}. */
export const coldMemory = {
  literal: (code: ColdCode): void => {
    const distance = code.signedField(5, 19, 2);
    code.goIf(code.bits(vectorBit), 'slow');
    const opc = code.field(30, 2);
    code.goIf(code.of(wasmOp.i32Eq, opc, 3), 'slow');
    code.set('x', code.of(wasmOp.i64ExtendI32U, code.of(wasmOp.i32Add, code.get('pc'), distance)));
    pushPlace(code, false);
    const loaded = (op: WasmOp): Push => code.load(op, code.get('a'), 0);
    code.set('y', loaded(wasmOp.i64Load32U));
    code.if(opc, () =>
      code.if(
        code.of(wasmOp.i32Eq, opc, 1),
        () => code.set('y', loaded(wasmOp.i64Load)),
        () => code.set('y', loaded(wasmOp.i64Load32S)),
      ),
    );
    code.setRegisterOrZero(0, code.get('y'));
    code.go('next');
  },

  'unsigned-offset': (code: ColdCode): void => {
    const offset = code.of(wasmOp.i32Shl, code.field(10, 12), scaleOf(code));
    const distance = code.of(wasmOp.i64ExtendI32U, offset);
    code.set('x', code.of(wasmOp.i64Add, code.register(5), distance));
    code.set('b', () => code.body.i32(0));
    code.go('access');
  },

  indexed: (code: ColdCode): void => {
    // 0 unscaled, 1 after, 2 unprivileged, 3 before.
    const index = code.field(10, 2);
    const vector = code.of(wasmOp.i32And, code.of(wasmOp.i32Eq, index, 2), code.field(26, 1));
    code.goIf(vector, 'slow');
    code.set('b', code.of(wasmOp.i32And, index, 1));
    // What is loaded and what its base becomes are one register: that is the interpreter's.
    const same = code.of(wasmOp.i32Eq, code.field(0, 5), code.field(5, 5));
    code.goIf(code.of(wasmOp.i32And, code.get('b'), same), 'slow');
    const distance = code.of(wasmOp.i64ExtendI32S, code.signedField(12, 9));
    code.set('x', code.register(5));
    code.set('y', code.of(wasmOp.i64Add, code.get('x'), distance));
    const after = code.of(wasmOp.i32Eq, index, 1);
    code.set('x', code.choose(after, code.get('x'), code.get('y')));
    code.go('access');
  },

  'register-offset': (code: ColdCode): void => {
    // Atomic operations have other bits there.
    code.goIf(code.of(wasmOp.i32Ne, code.field(10, 2), 2), 'slow');
    code.goIf(code.of(wasmOp.i32Eqz, code.field(14, 1)), 'slow');
    const amount = code.of(wasmOp.i32Mul, scaleOf(code), code.field(12, 1));
    const distance = code.of(
      wasmOp.i64Shl,
      extendedRegister(code),
      code.of(wasmOp.i64ExtendI32U, amount),
    );
    code.set('x', code.of(wasmOp.i64Add, code.register(5), distance));
    code.set('b', () => code.body.i32(0));
    code.go('access');
  },

  pair: (code: ColdCode): void => {
    const opc = code.field(30, 2);
    const load = code.field(22, 1);
    // 0 not temporal, 1 after, 2 offset, 3 before.
    const index = code.field(23, 2);
    const vector = code.bits(vectorBit);
    const unusual = code.of(wasmOp.i32Eq, opc, 3);
    const mixed = code.of(
      wasmOp.i32And,
      code.of(wasmOp.i32Eq, opc, 1),
      code.of(wasmOp.i32Eqz, vector),
    );
    code.goIf(code.of(wasmOp.i32Or, unusual, mixed), 'slow');
    // Registers that meet are the interpreter's.
    const [first, second, base] = [code.field(0, 5), code.field(10, 5), code.field(5, 5)];
    code.goIf(code.of(wasmOp.i32And, load, code.of(wasmOp.i32Eq, first, second)), 'slow');
    code.set('b', code.of(wasmOp.i32And, index, 1));
    const meets = code.of(
      wasmOp.i32Or,
      code.of(wasmOp.i32Eq, first, base),
      code.of(wasmOp.i32Eq, second, base),
    );
    code.goIf(code.of(wasmOp.i32And, code.get('b'), meets), 'slow');
    // c: logarithm of a register's bytes.
    const general = code.of(wasmOp.i32Add, code.of(wasmOp.i32ShrU, opc, 1), 2);
    code.set('c', code.choose(vector, code.of(wasmOp.i32Add, opc, 2), general));
    const offset = code.of(wasmOp.i32Shl, code.signedField(15, 7), code.get('c'));
    code.set('x', code.register(5));
    code.set('y', code.of(wasmOp.i64Add, code.get('x'), code.of(wasmOp.i64ExtendI32S, offset)));
    const after = code.of(wasmOp.i32Eq, index, 1);
    code.set('x', code.choose(after, code.get('x'), code.get('y')));
    code.if(
      load,
      () => {
        pushPlace(code, false);
        code.if(
          vector,
          () => pairOfVectors(code, true),
          () => pairOfRegisters(code, true),
        );
      },
      () => {
        pushPlace(code, true);
        code.if(
          vector,
          () => pairOfVectors(code, false),
          () => pairOfRegisters(code, false),
        );
      },
    );
    code.if(code.get('b'), () => code.setRegister(5, code.get('y')));
    code.go('next');
  },

  /** LDAR, STLR and what is like them; those of one register that are no pairs. */
  ordered: (code: ColdCode): void => {
    const size = code.field(30, 2);
    const load = code.field(22, 1);
    code.goIf(code.of(wasmOp.i32Eqz, code.field(15, 1)), 'slow');
    code.set('x', code.register(5));
    code.set('b', () => code.body.i32(0));
    // The others are too seldom to have something of their own.
    code.goIf(code.of(wasmOp.i32LtU, size, 2), 'slow');
    const wide = code.of(wasmOp.i32And, size, 1);
    code.if(
      load,
      () => {
        pushPlace(code, false);
        const narrow = code.load(wasmOp.i64Load32U, code.get('a'), 0);
        code.set('z', narrow);
        code.if(wide, () => code.set('z', code.load(wasmOp.i64Load, code.get('a'), 0)));
        code.setRegisterOrZero(0, code.get('z'));
      },
      () => {
        pushPlace(code, true);
        const to = { address: code.get('a'), offset: 0 };
        code.if(
          wide,
          () => code.store(wasmOp.i64Store, code.registerOrZero(0), to),
          () => code.store(wasmOp.i64Store32, code.registerOrZero(0), to),
        );
      },
    );
    code.go('next');
  },
} as const;

/** Logarithm of the bytes of a single register, which has them in `size` and, of 128 bits, in opc. */
function scaleOf(code: ColdCode): Push {
  const quad = code.of(
    wasmOp.i32Shl,
    code.of(wasmOp.i32And, code.field(26, 1), code.field(23, 1)),
    2,
  );
  return code.of(wasmOp.i32Or, code.field(30, 2), quad);
}

/** Has `a` be the address in `x`, if what is there may be used so. */
function pushPlace(code: ColdCode, write: boolean): void {
  const { body } = code;
  // A tag, or beyond what is there.
  const upper = code.of([wasmOp.i64ShrU, wasmOp.i32WrapI64], code.get('x'), code.i64(32n));
  code.goIf(upper, 'slow');
  code.set('a', code.of(wasmOp.i32WrapI64, code.get('x')));
  const page = (): void => {
    code.of(wasmOp.i32ShrU, code.get('a'), 12)();
    body.memory(wasmOp.i32Load8U, machineLayout.permissions);
  };
  const [span, own] = write
    ? [spanPermission.write, pagePermission.write]
    : [spanPermission.read, pagePermission.read];
  code.ifUnlikely(code.of([wasmOp.i32And, wasmOp.i32Eqz], page, span), () => {
    // The last page of a region, or none.
    code.goIf(code.of([wasmOp.i32And, wasmOp.i32Eqz], page, own), 'slow');
    const within = code.of(wasmOp.i32And, code.get('a'), 4095);
    code.goIf(code.of(wasmOp.i32GtU, within, 4096 - longest), 'slow');
  });
}

/** One register, by size and opc: what is stored, loaded, loaded with its sign to 64 and 32 bits. */
export function coldAccess(code: ColdCode): void {
  const load = code.of(wasmOp.i32Ne, code.field(22, 2), 0);
  code.if(
    code.bits(vectorBit),
    () => {
      const quad = code.field(23, 1);
      code.goIf(code.of(wasmOp.i32And, quad, code.of(wasmOp.i32Ne, code.field(30, 2), 0)), 'slow');
      code.set('c', scaleOf(code));
      // Bytes and halves of vectors are seldom.
      code.goIf(code.of(wasmOp.i32LtU, code.get('c'), 2), 'slow');
      code.if(
        code.field(22, 1),
        () => {
          pushPlace(code, false);
          loadVector(code, { at: 0, offset: () => {} });
        },
        () => {
          pushPlace(code, true);
          storeVector(code, { at: 0, offset: () => {} });
        },
      );
    },
    () =>
      code.if(
        load,
        () => loadGeneral(code),
        () => storeGeneral(code),
      ),
  );
  code.if(code.get('b'), () => code.setRegister(5, code.get('y')));
  code.go('next');
}

function storeGeneral(code: ColdCode): void {
  pushPlace(code, true);
  const size = code.field(30, 2);
  const to = { address: code.get('a'), offset: 0 };
  const stored = (op: WasmOp) => (): void => code.store(op, code.registerOrZero(0), to);
  bySize(code, size, [
    stored(wasmOp.i64Store8),
    stored(wasmOp.i64Store16),
    stored(wasmOp.i64Store32),
    stored(wasmOp.i64Store),
  ]);
}

function loadGeneral(code: ColdCode): void {
  const size = code.field(30, 2);
  const opc = code.field(22, 2);
  // Prefetches, and what there is not.
  code.goIf(
    code.of(wasmOp.i32GtU, code.of(wasmOp.i32Add, code.of(wasmOp.i32Shl, size, 2), opc), 13),
    'slow',
  );
  code.goIf(
    code.of(wasmOp.i32Eq, code.of(wasmOp.i32Or, code.of(wasmOp.i32Shl, size, 2), opc), 11),
    'slow',
  );
  pushPlace(code, false);
  const loaded = (op: WasmOp) => (): void => code.set('z', code.load(op, code.get('a'), 0));
  code.if(
    code.field(23, 1),
    () => {
      bySize(code, size, [
        loaded(wasmOp.i64Load8S),
        loaded(wasmOp.i64Load16S),
        loaded(wasmOp.i64Load32S),
        loaded(wasmOp.i64Load),
      ]);
      code.if(code.field(22, 1), () =>
        code.set('z', code.of(wasmOp.i64And, code.get('z'), code.i64(0xffffffffn))),
      );
    },
    () =>
      bySize(code, size, [
        loaded(wasmOp.i64Load8U),
        loaded(wasmOp.i64Load16U),
        loaded(wasmOp.i64Load32U),
        loaded(wasmOp.i64Load),
      ]),
  );
  code.setRegisterOrZero(0, code.get('z'));
}

/** One of four, by a number of two bits; the most frequent ones last. */
function bySize(code: ColdCode, size: Push, choices: readonly (() => void)[]): void {
  const [byte, half, word, double] = choices;
  code.if(
    code.of(wasmOp.i32Eq, size, 3),
    () => double?.(),
    () =>
      code.if(
        code.of(wasmOp.i32Eq, size, 2),
        () => word?.(),
        () =>
          code.if(
            size,
            () => half?.(),
            () => byte?.(),
          ),
      ),
  );
}

interface VectorAccess {
  /** Which field of the word names the register. */
  readonly at: number;
  /** Adds to the address on the stack. */
  readonly offset: () => void;
}

function vectorPlace(code: ColdCode, at: number): Push {
  return code.of(wasmOp.i32Shl, code.field(at, 5), 4);
}

/** Of 4, 8 or 16 bytes, by `c`; the rest becomes zero. */
function loadVector(code: ColdCode, { at, offset }: VectorAccess): void {
  const { body } = code;
  const from = (): void => {
    code.get('a')();
    offset();
  };
  const loads = [simdOp.load32Zero, simdOp.load64Zero, simdOp.load];
  byLength(code, loads, (op) => {
    vectorPlace(code, at)();
    from();
    body.simdMemory(op, 0);
    body.simdMemory(simdOp.store, statePlace.vector);
  });
}

function storeVector(code: ColdCode, { at, offset }: VectorAccess): void {
  const { body } = code;
  const to = (): void => {
    code.get('a')();
    offset();
  };
  const stores = [simdOp.store32Lane, simdOp.store64Lane, simdOp.store];
  byLength(code, stores, (op) => {
    to();
    vectorPlace(code, at)();
    body.simdMemory(simdOp.load, statePlace.vector);
    if (op === simdOp.store) body.simdMemory(op, 0);
    else body.simdMemoryLane(op, 0, 0);
  });
}

function byLength(
  code: ColdCode,
  [single = 0, double = 0, quad = 0]: readonly number[],
  write: (op: number) => void,
): void {
  code.if(
    code.of(wasmOp.i32Eq, code.get('c'), 4),
    () => write(quad),
    () =>
      code.if(
        code.of(wasmOp.i32Eq, code.get('c'), 3),
        () => write(double),
        () => write(single),
      ),
  );
}

/** Moves the address on the stack by one register. */
function byOne(code: ColdCode): void {
  const { body } = code;
  body.i32(1);
  code.get('c')();
  body.op(wasmOp.i32Shl, wasmOp.i32Add);
}

function pairOfVectors(code: ColdCode, load: boolean): void {
  const access = load ? loadVector : storeVector;
  access(code, { at: 0, offset: () => {} });
  access(code, { at: 10, offset: () => byOne(code) });
}

function pairOfRegisters(code: ColdCode, load: boolean): void {
  for (const [width, offset] of [
    [3, 8],
    [2, 4],
  ] as const) {
    code.if(code.of(wasmOp.i32Eq, code.get('c'), width), () => {
      for (const [at, place] of [
        [0, 0],
        [10, offset],
      ] as const) {
        const wide = width === 3;
        if (load) {
          const op = wide ? wasmOp.i64Load : wasmOp.i64Load32U;
          code.setRegisterOrZero(at, code.load(op, code.get('a'), place));
        } else {
          const op = wide ? wasmOp.i64Store : wasmOp.i64Store32;
          code.store(op, code.registerOrZero(at), { address: code.get('a'), offset: place });
        }
      }
    });
  }
}
