import { pagePermission } from '../../interpret/linear-memory.ts';
import { type ModuleFunction, moduleIndex } from '../build-module.ts';
import { FunctionBody } from '../function-body.ts';
import { deepestCall, interpretFirst } from '../guest-function.ts';
import { arrivalCalled, machineLayout, wordHash } from '../machine-layout.ts';
import { valueType, wasmOp } from '../wasm.ts';
import { coldBranches, storePc } from './cold-branches.ts';
import { ColdCode, type ColdLocals, statePlace } from './cold-code.ts';
import { coldImmediates } from './cold-immediates.ts';
import { type ColdKind, coldKinds } from './cold-kinds.ts';
import { coldAccess, coldMemory } from './cold-memory.ts';
import { coldRegisters } from './cold-registers.ts';
import { coldSum } from './cold-sum.ts';
import { coldVectors } from './cold-vectors.ts';

/** How a place was come to: by a branch, by a call that is gone on with here, from outside. */
const arrival = { branch: 0, call: 1, outside: 2 } as const;
/** What the interpreter does takes as long as arriving some times at where it was come from. */
const slowWeight = 32;
/** Code without branches ends, too. */
const pageCost = 16;

type Handler = (code: ColdCode) => void;

const handlers: Readonly<Record<Exclude<ColdKind, 'slow'>, Handler>> = {
  ...coldImmediates,
  ...coldRegisters,
  ...coldMemory,
  ...coldBranches,
  ...coldVectors,
};

/**
 * Runs code that is not translated, word by word, with all registers in memory: it needs no
 * preparation, and takes some nanoseconds for an instruction where the interpreter takes hundreds. It
 * goes on from the state's PC, runs what it comes to that is translated, and returns where its caller
 * goes on. What it does not know is done by the interpreter in between.
 */
export function coldFunction(): Pick<ModuleFunction, 'code' | 'unlikely'> {
  const body = new FunctionBody([], 1);
  const i32 = (): number => body.addLocal(valueType.i32);
  const i64 = (): number => body.addLocal(valueType.i64);
  const locals: ColdLocals = {
    depth: 0,
    pc: i32(),
    word: i32(),
    page: i32(),
    inner: i32(),
    last: i32(),
    a: i32(),
    b: i32(),
    c: i32(),
    x: i64(),
    y: i64(),
    z: i64(),
  };
  const labels = { next: 0, here: 0, slow: 0, host: 0, arrive: 0, access: 0, sum: 0 };
  const code = new ColdCode(body, locals, labels);
  const open = (name: keyof typeof labels): void => {
    body.open(wasmOp.block);
    labels[name] = body.depth;
  };

  code.set('page', () => body.i32(-1));
  code.set('pc', code.of(wasmOp.i32WrapI64, code.state(wasmOp.i64Load, statePlace.pc)));
  code.set('c', () => body.i32(arrival.outside));
  open('host');
  writeArrival(code);
  body.open(wasmOp.loop);
  labels.here = body.depth;
  open('next');
  open('slow');
  open('arrive');
  open('sum');
  open('access');
  writeFetch(code);
  writeDispatch(code);
  body.end();
  coldAccess(code);
  body.end();
  coldSum(code);
  body.end();
  writeArrival(code);
  code.go('here');
  body.end();
  writeAlone(code);
  storePc(code, code.get('pc'));
  body.call(moduleIndex.step);
  body.branch(wasmOp.brIf, labels.host);
  const count = { address: code.get('last'), offset: machineLayout.arrivals + 4 };
  const before = code.load(wasmOp.i32Load, count.address, count.offset);
  code.store(wasmOp.i32Store, code.of(wasmOp.i32Add, before, slowWeight), count);
  body.end();
  code.set('pc', code.of(wasmOp.i32Add, code.get('pc'), 4));
  code.go('here');
  body.end();
  body.end();
  const place = code.of(wasmOp.i64ExtendI32U, code.get('pc'));
  code.do(wasmOp.i64Or, place, code.i64(interpretFirst));
  return { code: body.encode(), unlikely: body.unlikely() };
}

/** What has a function of one instruction is done by that, unless it would fault. */
function writeAlone(code: ColdCode): void {
  const { body } = code;
  const hash = code.of(wasmOp.i32Mul, code.get('word'), wordHash.factor);
  code.set('a', code.of(wasmOp.i32Shl, code.of(wasmOp.i32ShrU, hash, wordHash.shift), 3));
  const listed = code.load(wasmOp.i32Load, code.get('a'), machineLayout.words);
  code.set('b', code.load(wasmOp.i32Load, code.get('a'), machineLayout.words + 4));
  const same = code.of(wasmOp.i32Eq, listed, code.get('word'));
  // What is empty has no function, and is no word: not even zero, which is no instruction.
  code.if(code.of(wasmOp.i32And, same, code.of(wasmOp.i32Ne, code.get('b'), 0)), () => {
    code.get('depth')();
    code.get('b')();
    body.callIndirect(moduleIndex.guestType);
    body.op(wasmOp.i64Eqz);
    body.branch(wasmOp.brIf, code.labels.next);
  });
}

/** Reads the word at `pc`, where code may be run. */
function writeFetch(code: ColdCode): void {
  const { body } = code;
  const page = code.of(wasmOp.i32ShrU, code.get('pc'), 12);
  code.ifUnlikely(code.of(wasmOp.i32Ne, page, code.get('page')), () => {
    const permissions = code.load(wasmOp.i32Load8U, page, machineLayout.permissions);
    const allowed = code.of(wasmOp.i32And, permissions, pagePermission.execute);
    code.goIf(code.of(wasmOp.i32Eqz, allowed), 'host');
    code.set('page', page);
    spend(code, pageCost);
  });
  code.set('word', () => {
    code.get('pc')();
    body.memory(wasmOp.i32Load, 0);
  });
}

/** Takes fuel; without any left it is the host's turn. */
function spend(code: ColdCode, cost: number): void {
  const left = code.of(wasmOp.i32Sub, code.state(wasmOp.i32Load, statePlace.fuel), cost);
  code.store(wasmOp.i32Store, left, { offset: statePlace.fuel });
  const none = code.of(wasmOp.i32LtS, code.state(wasmOp.i32Load, statePlace.fuel), 0);
  code.ifUnlikely(none, () => {
    const more = (): void => code.body.call(moduleIndex.refuel);
    code.store(wasmOp.i32Store, more, { offset: statePlace.fuel });
    code.if(none, () => {
      code.do([wasmOp.i64ExtendI32U, wasmOp.return], code.get('pc'));
    });
  });
}

function writeDispatch(code: ColdCode): void {
  const { body } = code;
  const depths: number[] = [];
  for (const _ of coldKinds) {
    body.open(wasmOp.block);
    depths.unshift(body.depth);
  }
  code.do(wasmOp.i32ShrU, code.get('word'), 21);
  body.memory(wasmOp.i32Load8U, machineLayout.kinds);
  const [slow = 0, ...others] = depths;
  body.branchTable([slow, ...others], slow);
  for (const kind of coldKinds) {
    body.end();
    if (kind === 'slow') code.go('slow');
    else handlers[kind](code);
  }
}

/** Where `pc` is a place that was come to: what is translated is run, what is not is counted. */
function writeArrival(code: ColdCode): void {
  const { body } = code;
  spend(code, 1);
  body.open(wasmOp.loop);
  const again = body.depth;
  const at = code.of(wasmOp.i32ShrU, code.get('pc'), 2);
  const entry = code.of(
    wasmOp.i32Shl,
    code.of(wasmOp.i32And, at, machineLayout.cacheEntries - 1),
    4,
  );
  const place = code.of(wasmOp.i64ExtendI32U, code.get('pc'));
  const cached = code.load(wasmOp.i64Load, code.get('a'), machineLayout.cache);
  const key = code.of(wasmOp.i64Or, place, code.i64(1n));
  body.open(wasmOp.block);
  const done = body.depth;
  code.set('a', entry);
  code.if(code.of(wasmOp.i64Ne, cached, key), () => {
    code.set('a', code.of(wasmOp.i32Xor, code.get('a'), 16));
  });
  code.if(code.of(wasmOp.i64Eq, cached, key), () => {
    writeTranslated(code);
    body.branch(wasmOp.br, done);
  });
  writeCount(code);
  body.branch(wasmOp.brIf, again);
  code.set(
    'inner',
    code.of(wasmOp.i32Add, code.get('inner'), code.of(wasmOp.i32Eq, code.get('c'), arrival.call)),
  );
  body.end();
  body.end();
}

/** Runs the function in the entry `a` of the branch cache; goes on only where that is right here. */
function writeTranslated(code: ColdCode): void {
  const { body } = code;
  const index = code.load(wasmOp.i32Load, code.get('a'), machineLayout.cache + 8);
  const run = (): void => {
    code.do(wasmOp.i32Add, code.get('depth'), 1);
    index();
    body.callIndirect(moduleIndex.guestType);
  };
  const isCall = code.of(wasmOp.i32Eq, code.get('c'), arrival.call);
  // Nothing is to be done here afterwards.
  code.if(code.of([wasmOp.i32Or, wasmOp.i32Eqz], isCall, code.get('inner')), () => {
    code.get('depth')();
    index();
    body.returnCallIndirect(moduleIndex.guestType);
  });
  code.ifUnlikely(code.of(wasmOp.i32GtU, code.get('depth'), deepestCall), () => {
    code.do([wasmOp.i64ExtendI32U, wasmOp.return], code.get('pc'));
  });
  const stop = (condition: ReturnType<ColdCode['of']>): void =>
    code.ifUnlikely(condition, () => {
      code.get('y')();
      body.op(wasmOp.return);
    });
  code.if(
    isCall,
    () => {
      code.set('x', code.state(wasmOp.i64Load, statePlace.link));
      code.set('y', run);
      stop(code.of(wasmOp.i64Ne, code.get('x'), code.get('y')));
    },
    () => {
      // A part of what was called here: where it returns to is not known.
      code.set('y', run);
      stop(code.of([wasmOp.i64ShrU, wasmOp.i32WrapI64], code.get('y'), code.i64(32n)));
      stop(code.load(wasmOp.i32Load, () => body.i32(0), machineLayout.leave));
      stop(code.of(wasmOp.i32LtS, code.state(wasmOp.i32Load, statePlace.fuel), 0));
      code.set('inner', code.of(wasmOp.i32Sub, code.get('inner'), 1));
    },
  );
  code.set('pc', code.of(wasmOp.i32WrapI64, code.get('y')));
}

/** Counts; puts on the stack whether there is something translated now. */
function writeCount(code: ColdCode): void {
  const { body } = code;
  const at = code.of(wasmOp.i32ShrU, code.get('pc'), 2);
  code.set(
    'a',
    code.of(wasmOp.i32Shl, code.of(wasmOp.i32And, at, machineLayout.arrivalEntries - 1), 3),
  );
  const entry = { address: code.get('a'), offset: machineLayout.arrivals };
  const number = { address: code.get('a'), offset: machineLayout.arrivals + 4 };
  const known = code.load(wasmOp.i32Load, entry.address, entry.offset);
  const count = code.load(wasmOp.i32Load, number.address, number.offset);
  code.if(code.of(wasmOp.i32Ne, known, code.get('pc')), () => {
    code.store(wasmOp.i32Store, code.get('pc'), entry);
    code.store(wasmOp.i32Store, () => body.i32(0), number);
  });
  code.set('last', code.get('a'));
  const called = code.of(wasmOp.i32Shl, code.of(wasmOp.i32Ne, code.get('c'), 0), 31);
  code.store(
    wasmOp.i32Store,
    code.of(wasmOp.i32Or, code.of(wasmOp.i32Add, count, 1), called),
    number,
  );
  code.set('b', code.of(wasmOp.i32And, count, ~arrivalCalled));
  // At first somebody else may have translated it already.
  const hot = code.state(wasmOp.i32Load, machineLayout.hotAfter);
  const asks = code.of(
    wasmOp.i32Or,
    code.of(wasmOp.i32Eq, code.get('b'), 1),
    code.of(wasmOp.i32GeU, code.get('b'), hot),
  );
  code.if(
    asks,
    () => {
      code.get('pc')();
      body.call(moduleIndex.arrive);
      body.set(code.locals.b);
    },
    () => code.set('b', () => body.i32(0)),
  );
  code.get('b')();
}
