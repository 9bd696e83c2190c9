import { floatFlag } from '../float/float-environment.ts';
import type { FloatingInstruction } from '../floating-instruction.ts';
import { cpuLayout } from '../interpret/cpu-layout.ts';
import type { FunctionBody } from './function-body.ts';
import {
  emitStep,
  flagsKind,
  type GuestFunction,
  local,
  popRegister,
  pushRegister,
} from './guest-function.ts';
import { registerEffects } from './register-effects.ts';
import { wasmOp, type WasmOp } from './wasm.ts';

export type InlineFloat = Extract<
  FloatingInstruction,
  {
    readonly kind:
      | 'fp-one-source'
      | 'fp-two-source'
      | 'fp-compare'
      | 'fp-convert-precision'
      | 'integer-to-fp'
      | 'fp-to-integer';
  }
>;

/** WebAssembly's operations for one width. */
interface FloatOps {
  readonly load: WasmOp;
  readonly store: WasmOp;
  readonly add: WasmOp;
  readonly sub: WasmOp;
  readonly mul: WasmOp;
  readonly div: WasmOp;
  readonly sqrt: WasmOp;
  readonly abs: WasmOp;
  readonly eq: WasmOp;
  readonly lt: WasmOp;
  readonly gt: WasmOp;
  readonly result: number;
  readonly constant: (body: FunctionBody, value: number) => void;
  /** The least number that is not denormal. */
  readonly least: number;
}

const double: FloatOps = {
  load: wasmOp.f64Load,
  store: wasmOp.f64Store,
  add: wasmOp.f64Add,
  sub: wasmOp.f64Sub,
  mul: wasmOp.f64Mul,
  div: wasmOp.f64Div,
  sqrt: wasmOp.f64Sqrt,
  abs: wasmOp.f64Abs,
  eq: wasmOp.f64Eq,
  lt: wasmOp.f64Lt,
  gt: wasmOp.f64Gt,
  result: local.double,
  constant: (body, value) => body.f64(value),
  least: 2 ** -1022,
};
const single: FloatOps = {
  load: wasmOp.f32Load,
  store: wasmOp.f32Store,
  add: wasmOp.f32Add,
  sub: wasmOp.f32Sub,
  mul: wasmOp.f32Mul,
  div: wasmOp.f32Div,
  sqrt: wasmOp.f32Sqrt,
  abs: wasmOp.f32Abs,
  eq: wasmOp.f32Eq,
  lt: wasmOp.f32Lt,
  gt: wasmOp.f32Gt,
  result: local.single,
  constant: (body, value) => body.f32(value),
  least: 2 ** -126,
};

function opsOf(width: 16 | 32 | 64): FloatOps {
  return width === 64 ? double : single;
}

/**
 * WebAssembly computes as the guest would where FPCR asks for nothing else, operands and result are
 * ordinary numbers, and the only flag that could be raised, inexact, is up already; it stays up, and
 * programs raise it with their first division. Everything else is the interpreter's.
 */
export function emitFloat(guest: GuestFunction, instruction: InlineFloat, pc: number): boolean {
  const compute = computation(guest, instruction);
  if (compute === undefined) return false;
  const { body } = guest;
  body.i32(0);
  body.set(local.word);
  pushGuard(body, compute.mayRound);
  body.open(wasmOp.if);
  compute.push();
  compute.check();
  body.open(wasmOp.if);
  compute.pop();
  body.i32(1);
  body.set(local.word);
  body.end();
  body.end();
  body.get(local.word);
  body.op(wasmOp.i32Eqz);
  body.open(wasmOp.if);
  emitStep(guest, { pc, effects: registerEffects(instruction) });
  body.end();
  return true;
}

function pushGuard(body: FunctionBody, mayRound: boolean): void {
  body.get(local.state);
  body.memory(wasmOp.i32Load, cpuLayout.fpcr);
  body.op(wasmOp.i32Eqz);
  if (!mayRound) return;
  body.get(local.state);
  body.memory(wasmOp.i32Load, cpuLayout.fpsr);
  body.i32(floatFlag.inexact);
  body.op(wasmOp.i32And);
  body.i32(0);
  body.op(wasmOp.i32Ne, wasmOp.i32And);
}

/** In three parts: to a local, whether that may be taken, and to where it belongs. */
interface Computation {
  readonly mayRound: boolean;
  readonly push: () => void;
  readonly check: () => void;
  readonly pop: () => void;
}

function computation(guest: GuestFunction, instruction: InlineFloat): Computation | undefined {
  switch (instruction.kind) {
    case 'fp-one-source':
      return instruction.op === 'fsqrt' ? squareRoot(guest, instruction) : undefined;
    case 'fp-two-source':
      return twoSource(guest, instruction);
    case 'fp-compare':
      return compare(guest, instruction);
    case 'fp-convert-precision':
      return convert(guest, instruction);
    case 'integer-to-fp':
      return fromInteger(guest, instruction);
    case 'fp-to-integer':
      return toInteger(guest, instruction);
  }
}

function place(register: number): number {
  return cpuLayout.vector + register * 16;
}

function pushFloat({ body }: GuestFunction, register: number, ops: FloatOps): void {
  body.get(local.state);
  body.memory(ops.load, place(register));
}

/** Neither a NaN nor infinite, nor so small that it may have been rounded to a denormal or zero. */
function checkOrdinary({ body }: GuestFunction, ops: FloatOps): void {
  body.get(ops.result);
  body.op(ops.abs);
  ops.constant(body, ops.least);
  body.op(ops.gt);
  body.get(ops.result);
  body.op(ops.abs);
  ops.constant(body, Infinity);
  body.op(ops.lt, wasmOp.i32And);
}

function popFloat({ body }: GuestFunction, register: number, ops: FloatOps): void {
  body.get(local.state);
  body.i64(0n);
  body.memory(wasmOp.i64Store, place(register));
  body.get(local.state);
  body.i64(0n);
  body.memory(wasmOp.i64Store, place(register) + 8);
  body.get(local.state);
  body.get(ops.result);
  body.memory(ops.store, place(register));
}

function squareRoot(
  guest: GuestFunction,
  { width, rd, rn }: Extract<InlineFloat, { readonly kind: 'fp-one-source' }>,
): Computation {
  const ops = opsOf(width);
  return {
    mayRound: true,
    push: () => {
      pushFloat(guest, rn, ops);
      guest.body.op(ops.sqrt);
      guest.body.set(ops.result);
    },
    check: () => checkOrdinary(guest, ops),
    pop: () => popFloat(guest, rd, ops),
  };
}

function twoSource(
  guest: GuestFunction,
  { op, width, rd, rn, rm }: Extract<InlineFloat, { readonly kind: 'fp-two-source' }>,
): Computation | undefined {
  const ops = opsOf(width);
  const operations: Partial<Record<typeof op, WasmOp>> = {
    fadd: ops.add,
    fsub: ops.sub,
    fmul: ops.mul,
    fdiv: ops.div,
  };
  const operation = operations[op];
  if (operation === undefined) return undefined;
  return {
    mayRound: true,
    push: () => {
      pushFloat(guest, rn, ops);
      pushFloat(guest, rm, ops);
      guest.body.op(operation);
      guest.body.set(ops.result);
    },
    check: () => checkOrdinary(guest, ops),
    pop: () => popFloat(guest, rd, ops),
  };
}

function compare(
  guest: GuestFunction,
  { width, rn, rm }: Extract<InlineFloat, { readonly kind: 'fp-compare' }>,
): Computation {
  const { body } = guest;
  const ops = opsOf(width);
  const other = (): void => {
    if (rm === undefined) ops.constant(body, 0);
    else pushFloat(guest, rm, ops);
  };
  return {
    mayRound: false,
    push: () => {},
    // A number is equal to itself, a NaN is not.
    check: () => {
      pushFloat(guest, rn, ops);
      pushFloat(guest, rn, ops);
      body.op(ops.eq);
      other();
      other();
      body.op(ops.eq, wasmOp.i32And);
    },
    // Less is N, equal is Z and C, greater is C.
    pop: () => {
      body.i32(0b1000);
      body.i32(0b0010);
      pushFloat(guest, rn, ops);
      other();
      body.op(ops.lt, wasmOp.select);
      pushFloat(guest, rn, ops);
      other();
      body.op(ops.eq);
      body.i32(2);
      body.op(wasmOp.i32Shl, wasmOp.i32Or);
      body.set(local.nzcv);
      body.i32(flagsKind.ready);
      body.set(local.flagsKind);
    },
  };
}

function convert(
  guest: GuestFunction,
  { from, to, rd, rn }: Extract<InlineFloat, { readonly kind: 'fp-convert-precision' }>,
): Computation | undefined {
  if (from === 16 || to === 16) return undefined;
  const target = opsOf(to);
  return {
    mayRound: to === 32,
    push: () => {
      pushFloat(guest, rn, opsOf(from));
      guest.body.op(to === 64 ? wasmOp.f64PromoteF32 : wasmOp.f32DemoteF64);
      guest.body.set(target.result);
    },
    check: () => checkOrdinary(guest, target),
    pop: () => popFloat(guest, rd, target),
  };
}

function fromInteger(
  guest: GuestFunction,
  instruction: Extract<InlineFloat, { readonly kind: 'integer-to-fp' }>,
): Computation | undefined {
  const { width, wide, signed, fractionBits, rd, rn } = instruction;
  if (fractionBits > 0) return undefined;
  const { body } = guest;
  const ops = opsOf(width);
  const conversions =
    width === 64
      ? [wasmOp.f64ConvertI64U, wasmOp.f64ConvertI64S]
      : [wasmOp.f32ConvertI64U, wasmOp.f32ConvertI64S];
  return {
    // 32 bits fit into a double.
    mayRound: wide || width === 32,
    push: () => {
      pushRegister(guest, rn, wide);
      if (!wide) body.op(signed ? wasmOp.i64ExtendI32S : wasmOp.i64ExtendI32U);
      body.op(conversions[signed ? 1 : 0] ?? wasmOp.f64ConvertI64S);
      body.set(ops.result);
    },
    check: () => body.i32(1),
    pop: () => popFloat(guest, rd, ops),
  };
}

function toInteger(
  guest: GuestFunction,
  instruction: Extract<InlineFloat, { readonly kind: 'fp-to-integer' }>,
): Computation | undefined {
  const { width, wide, signed, rounding, fractionBits, rd, rn } = instruction;
  if (rounding !== 'zero' || fractionBits > 0 || !signed) return undefined;
  const { body } = guest;
  const ops = opsOf(width);
  return {
    mayRound: true,
    push: () => {
      pushFloat(guest, rn, ops);
      body.set(ops.result);
    },
    // Well inside of what the integer can be; a NaN is not.
    check: () => {
      body.get(ops.result);
      body.op(ops.abs);
      ops.constant(body, wide ? 2 ** 62 : 2 ** 30);
      body.op(ops.lt);
    },
    pop: () => {
      body.get(ops.result);
      body.op(width === 64 ? wasmOp.i64TruncF64S : wasmOp.i64TruncF32S);
      if (!wide) body.op(wasmOp.i32WrapI64);
      popRegister(guest, rd, wide);
    },
  };
}
