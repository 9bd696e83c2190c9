import { cpuLayout } from '../../interpret/cpu-layout.ts';
import { moduleIndex } from '../build-module.ts';
import type { FunctionBody } from '../function-body.ts';
import { machineLayout } from '../machine-layout.ts';
import { wasmOp, type WasmOp } from '../wasm.ts';

/** Puts one value on the stack. */
export type Push = () => void;

const zeroRegister = 32;
const { state } = machineLayout;

/** Places in the processor's state, as offsets of loads and stores. */
export const statePlace: Readonly<
  Record<
    | 'general'
    | 'zero'
    | 'link'
    | 'vector'
    | 'pc'
    | 'nzcv'
    | 'fuel'
    | 'threadPointer'
    | 'flagsKind'
    | 'flagsA'
    | 'flagsB',
    number
  >
> = {
  general: state + cpuLayout.general,
  zero: state + cpuLayout.general + zeroRegister * 8,
  link: state + cpuLayout.general + 30 * 8,
  vector: state + cpuLayout.vector,
  pc: state + cpuLayout.pc,
  nzcv: state + cpuLayout.nzcv,
  fuel: state + cpuLayout.fuel,
  threadPointer: state + cpuLayout.threadPointer,
  flagsKind: state + cpuLayout.flagsKind,
  flagsA: state + cpuLayout.flagsA,
  flagsB: state + cpuLayout.flagsB,
};

/** Locals of the function for cold code. The first is its parameter, as of all guest's functions. */
export interface ColdLocals {
  readonly depth: number;
  /** The address of the instruction, and its word. */
  readonly pc: number;
  readonly word: number;
  /** The page of code that may be run, by its number. */
  readonly page: number;
  /** Calls that were interpreted and have not come back. */
  readonly inner: number;
  /** Where arrivals at the place that was come to last are counted. */
  readonly last: number;
  /** i32, for the moment. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** i64, for the moment. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Where a piece of it goes on, as depths of open blocks. */
export interface ColdLabels {
  /** The instruction after this one. */
  readonly next: number;
  /** The instruction at `pc`. */
  readonly here: number;
  /** This instruction is for the interpreter. */
  readonly slow: number;
  /** The same, where it does not go on here whatever comes of it. */
  readonly host: number;
  /** A place was come to that may be hot or translated: `pc`, of the kind that `c` says. */
  readonly arrive: number;
  /** An access of one register: its address is `x`, what its base becomes `y` where `b` is not 0. */
  readonly access: number;
  /** The second operand of `shifted` and `extended` is `y`, the registers' kind is `b`. */
  readonly sum: number;
}

/** What all handlers are written with: fields of the word, registers in memory. */
export class ColdCode {
  readonly body: FunctionBody;
  readonly locals: ColdLocals;
  readonly labels: ColdLabels;

  constructor(body: FunctionBody, locals: ColdLocals, labels: ColdLabels) {
    this.body = body;
    this.locals = locals;
    this.labels = labels;
  }

  /** Operands, and what is done with them. */
  do(ops: WasmOp | readonly WasmOp[], ...operands: readonly (Push | number)[]): void {
    for (const operand of operands) {
      if (typeof operand === 'number') this.body.i32(operand);
      else operand();
    }
    this.body.op(...(typeof ops === 'number' ? [ops] : ops));
  }

  /** The same, later. */
  of(ops: WasmOp | readonly WasmOp[], ...operands: readonly (Push | number)[]): Push {
    return () => this.do(ops, ...operands);
  }

  get(local: keyof ColdLocals): Push {
    return () => this.body.get(this.locals[local]);
  }

  set(local: keyof ColdLocals, value: Push): void {
    value();
    this.body.set(this.locals[local]);
  }

  i64(value: bigint): Push {
    return () => this.body.i64(value);
  }

  /** Bits of the word, unsigned. */
  field(at: number, width: number): Push {
    const word = this.get('word');
    if (at + width === 32) return this.of(wasmOp.i32ShrU, word, at);
    const low = at === 0 ? word : this.of(wasmOp.i32ShrU, word, at);
    return this.of(wasmOp.i32And, low, 2 ** width - 1);
  }

  /** Bits of the word, signed, times 2^`scale`. */
  signedField(at: number, width: number, scale = 0): Push {
    const up = 32 - at - width;
    const top = up === 0 ? this.get('word') : this.of(wasmOp.i32Shl, this.get('word'), up);
    const value = this.of(wasmOp.i32ShrS, top, 32 - width);
    return scale === 0 ? value : this.of(wasmOp.i32Shl, value, scale);
  }

  /** Not zero where these bits of the word are. */
  bits(mask: number): Push {
    return this.of(wasmOp.i32And, this.get('word'), mask);
  }

  get wide(): Push {
    return this.field(31, 1);
  }

  /** Where a register is, that has 31 as SP. */
  place(at: number): Push {
    return this.of(wasmOp.i32Shl, this.field(at, 5), 3);
  }

  /** Where a register is, that has 31 as zero. */
  placeOrZero(at: number): Push {
    const is31 = this.of(wasmOp.i32Eq, this.field(at, 5), 31);
    return this.of(wasmOp.i32Shl, this.of(wasmOp.i32Add, this.field(at, 5), is31), 3);
  }

  load(op: WasmOp, address: Push, offset: number): Push {
    return () => {
      address();
      this.body.memory(op, offset);
    };
  }

  store(op: WasmOp, value: Push, to: { readonly address?: Push; readonly offset: number }): void {
    if (to.address === undefined) this.body.i32(0);
    else to.address();
    value();
    this.body.memory(op, to.offset);
  }

  /** A field of the state. */
  state(op: WasmOp, offset: number): Push {
    return this.load(op, () => this.body.i32(0), offset);
  }

  register(at: number): Push {
    return this.load(wasmOp.i64Load, this.place(at), statePlace.general);
  }

  registerOrZero(at: number): Push {
    return this.load(wasmOp.i64Load, this.placeOrZero(at), statePlace.general);
  }

  setRegister(at: number, value: Push): void {
    this.store(wasmOp.i64Store, value, { address: this.place(at), offset: statePlace.general });
  }

  /** What the zero register becomes is taken back. */
  setRegisterOrZero(at: number, value: Push): void {
    const address = this.placeOrZero(at);
    this.store(wasmOp.i64Store, value, { address, offset: statePlace.general });
    this.store(wasmOp.i64Store, this.i64(0n), { offset: statePlace.zero });
  }

  /** Without the upper half, where the instruction is one of 32 bits. */
  narrowed(value: Push): Push {
    // -1 >>> 32 where sf is 0, and >>> 0 where it is 1.
    const narrow = this.of(wasmOp.i32Shl, this.of(wasmOp.i32Xor, this.wide, 1), 5);
    const amount = this.of(wasmOp.i64ExtendI32U, narrow);
    return this.of(wasmOp.i64And, value, this.of(wasmOp.i64ShrU, this.i64(-1n), amount));
  }

  ifUnlikely(condition: Push, then: () => void): void {
    condition();
    this.body.openUnlikely();
    then();
    this.body.end();
  }

  if(condition: Push, then: () => void, otherwise?: () => void): void {
    condition();
    this.body.open(wasmOp.if);
    then();
    if (otherwise !== undefined) {
      this.body.op(wasmOp.else);
      otherwise();
    }
    this.body.end();
  }

  go(label: keyof ColdLabels): void {
    this.body.branch(wasmOp.br, this.labels[label]);
  }

  goIf(condition: Push, label: keyof ColdLabels): void {
    condition();
    // Handlers that know that an instruction is not theirs.
    if (label === 'slow' || label === 'host') this.body.branchUnlikely(this.labels[label]);
    else this.body.branch(wasmOp.brIf, this.labels[label]);
  }

  /** One of two numbers. */
  choose(condition: Push, then: Push, otherwise: Push): Push {
    return this.of(wasmOp.select, then, otherwise, condition);
  }

  /** What the flags follow from; of 64 bits where `wide` says so. */
  setFlags(kind: number, operands: { readonly a: Push; readonly b: Push }): void {
    const narrow = this.of(wasmOp.i32Xor, this.wide, 1);
    const number = this.of(wasmOp.i32Add, narrow, kind);
    this.store(wasmOp.i32Store, number, { offset: statePlace.flagsKind });
    this.store(wasmOp.i64Store, operands.a, { offset: statePlace.flagsA });
    this.store(wasmOp.i64Store, operands.b, { offset: statePlace.flagsB });
  }

  /** Whether the condition in four bits of the word holds: by a table, as translated code has it. */
  condition(at: number): Push {
    return () => {
      const { body } = this;
      this.of(wasmOp.i32Shl, this.field(at, 4), 1)();
      body.memory(wasmOp.i32Load16U, machineLayout.conditions);
      this.state(wasmOp.i32Load, statePlace.flagsKind)();
      this.state(wasmOp.i64Load, statePlace.flagsA)();
      this.state(wasmOp.i64Load, statePlace.flagsB)();
      this.state(wasmOp.i32Load, statePlace.nzcv)();
      body.call(moduleIndex.flags);
      body.op(wasmOp.i32ShrU);
      body.i32(1);
      body.op(wasmOp.i32And);
    };
  }
}
