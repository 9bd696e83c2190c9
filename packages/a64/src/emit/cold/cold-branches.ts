import { moduleIndex } from '../build-module.ts';
import { machineLayout } from '../machine-layout.ts';
import { wasmOp } from '../wasm.ts';
import { type ColdCode, type Push, statePlace } from './cold-code.ts';

/** What changes where to go on. `pc` is the address of the instruction until it is the next one. */
export const coldBranches = {
  branch: (code: ColdCode): void => {
    setTarget(code, code.signedField(0, 26, 2));
    code.if(code.field(31, 1), () => call(code));
    jump(code);
  },

  'compare-branch': (code: ColdCode): void => {
    code.set('x', code.narrowed(code.registerOrZero(0)));
    const isZero = code.of(wasmOp.i64Eqz, code.get('x'));
    // CBZ has 0 there, CBNZ 1.
    const taken = code.of(wasmOp.i32Xor, isZero, code.field(24, 1));
    code.goIf(code.of(wasmOp.i32Eqz, taken), 'next');
    setTarget(code, code.signedField(5, 19, 2));
    jump(code);
  },

  'test-branch': (code: ColdCode): void => {
    const bit = code.of(
      wasmOp.i32Or,
      code.of(wasmOp.i32Shl, code.field(31, 1), 5),
      code.field(19, 5),
    );
    const tested = code.of(
      [wasmOp.i64ShrU, wasmOp.i32WrapI64],
      code.registerOrZero(0),
      code.of(wasmOp.i64ExtendI32U, bit),
    );
    const differs = code.of(wasmOp.i32Xor, tested, code.field(24, 1));
    code.goIf(code.of(wasmOp.i32And, differs, 1), 'next');
    setTarget(code, code.signedField(5, 14, 2));
    jump(code);
  },

  'conditional-branch': (code: ColdCode): void => {
    code.goIf(code.bits(1 << 4), 'slow');
    code.goIf(code.of(wasmOp.i32Eqz, code.condition(0)), 'next');
    setTarget(code, code.signedField(5, 19, 2));
    jump(code);
  },

  'register-branch': (code: ColdCode): void => {
    const { body } = code;
    const others = code.of(wasmOp.i32And, code.get('word'), 0x1ffc1f);
    code.goIf(code.of(wasmOp.i32Ne, others, 0x1f0000), 'slow');
    code.set('x', code.registerOrZero(5));
    // Tags, what is beyond, and what is not aligned.
    const unusual = code.of(
      [wasmOp.i64And, wasmOp.i64Eqz],
      code.get('x'),
      code.i64(0xffffffff00000003n),
    );
    code.goIf(code.of(wasmOp.i32Eqz, unusual), 'host');
    code.set('a', code.of(wasmOp.i32WrapI64, code.get('x')));
    // 0 BR, 1 BLR, 2 RET.
    code.if(code.field(22, 1), () => {
      code.if(code.get('inner'), () => {
        code.set('inner', code.of(wasmOp.i32Sub, code.get('inner'), 1));
        code.set('pc', code.get('a'));
        code.go('here');
      });
      code.of(wasmOp.i64ExtendI32U, code.get('a'))();
      body.op(wasmOp.return);
    });
    code.if(code.field(21, 1), () => call(code));
    learn(code);
    code.set('pc', code.get('a'));
    code.set('c', () => body.i32(0));
    code.go('arrive');
  },

  'system-call': (code: ColdCode): void => {
    const { body } = code;
    const others = code.of(wasmOp.i32And, code.get('word'), 0xffe0001f | 0);
    code.goIf(code.of(wasmOp.i32Ne, others, 0xd4000001 | 0), 'slow');
    const after = code.of(wasmOp.i32Add, code.get('pc'), 4);
    storePc(code, after);
    body.call(moduleIndex.system);
    body.tee(code.locals.a);
    body.open(wasmOp.if);
    // 1: nothing was done, and it is for who runs the machine; 2: the state says where to go on.
    code.goIf(code.of(wasmOp.i32Eq, code.get('a'), 1), 'host');
    code.state(wasmOp.i64Load, statePlace.pc)();
    body.op(wasmOp.return);
    body.end();
    code.go('next');
  },

  system: (code: ColdCode): void => {
    const hint = code.of(wasmOp.i32And, code.get('word'), 0xfffff01f | 0);
    code.goIf(code.of(wasmOp.i32Eq, hint, 0xd503201f | 0), 'next');
    // MRS of TPIDR_EL0, which threads have their own data by.
    const pointer = code.of(wasmOp.i32And, code.get('word'), 0xffffffe0 | 0);
    code.goIf(code.of(wasmOp.i32Ne, pointer, 0xd53bd040 | 0), 'slow');
    code.setRegisterOrZero(0, code.state(wasmOp.i64Load, statePlace.threadPointer));
    code.go('next');
  },
} as const;

/** Where a branch goes to; below zero or beyond all addresses, which wraps here, it is the interpreter's. */
function setTarget(code: ColdCode, offset: Push): void {
  code.set('a', code.of(wasmOp.i32Add, code.get('pc'), offset));
  const back = code.of(wasmOp.i32LtS, offset, 0);
  const below = code.of(wasmOp.i32LtU, code.get('a'), code.get('pc'));
  code.goIf(code.of(wasmOp.i32Xor, back, below), 'host');
}

export function storePc(code: ColdCode, pc: Push): void {
  const value = code.of(wasmOp.i64ExtendI32U, pc);
  code.store(wasmOp.i64Store, value, { offset: statePlace.pc });
}

/** That this BR goes to `a`, for functions with tables of branches; what was said lately is not again. */
function learn(code: ColdCode): void {
  const { body } = code;
  const target = code.of(wasmOp.i64ExtendI32U, code.get('a'));
  const high = code.of(wasmOp.i64Shl, target, code.i64(32n));
  const pair = code.of(wasmOp.i64Or, code.of(wasmOp.i64ExtendI32U, code.get('pc')), high);
  const mixed = code.of(wasmOp.i32Add, code.get('pc'), code.of(wasmOp.i32Mul, code.get('a'), 5));
  const entry = code.of(wasmOp.i32And, mixed, (machineLayout.branchEntries - 1) * 8);
  const known = code.load(wasmOp.i64Load, entry, machineLayout.branches);
  code.if(code.of(wasmOp.i64Ne, known, pair), () => {
    code.store(wasmOp.i64Store, pair, { address: entry, offset: machineLayout.branches });
    code.get('pc')();
    code.get('a')();
    body.call(moduleIndex.learn);
    body.op(wasmOp.drop);
  });
}

/** What is called, `a`, may be translated, else it is gone on with here. */
function call(code: ColdCode): void {
  const back = code.of(wasmOp.i64ExtendI32U, code.of(wasmOp.i32Add, code.get('pc'), 4));
  code.store(wasmOp.i64Store, back, { offset: statePlace.link });
  code.set('pc', code.get('a'));
  code.set('c', () => code.body.i32(1));
  code.go('arrive');
}

/** To `a`: what is behind is a loop's, and may be hot. */
function jump(code: ColdCode): void {
  code.set('b', code.of(wasmOp.i32GtU, code.get('a'), code.get('pc')));
  code.set('pc', code.get('a'));
  code.goIf(code.get('b'), 'here');
  code.set('c', () => code.body.i32(0));
  code.go('arrive');
}
