import type { FloatingInstruction } from '../floating-instruction.ts';
import { moduleIndex } from './build-module.ts';
import type { BlockState } from './emit-integer.ts';
import { pushIsSmallInteger, pushProductIsExact, pushSumIsExact } from './exact-results.ts';
import { type FloatOps, floatOps } from './float-ops.ts';
import { flagsKind } from '../interpret/flags-kind.ts';
import {
  emitStep,
  exitTo,
  type GuestFunction,
  local,
  popRegister,
  pushRegister,
  pushVector,
} from './guest-function.ts';
import { pushCondition } from './lazy-flags.ts';
import { registerEffects } from './register-effects.ts';
import { wasmOp, type WasmOp } from './wasm.ts';
import type { Instruction } from '../instruction.ts';

export type InlineFloat = Extract<
  FloatingInstruction,
  {
    readonly kind:
      | 'fp-one-source'
      | 'fp-two-source'
      | 'fp-three-source'
      | 'fp-convert-precision'
      | 'fp-round'
      | 'integer-to-fp'
      | 'fp-to-integer';
  }
>;

/** Something computed where nothing shows that WebAssembly did it. */
export interface Computation {
  /** Whether it may raise the inexact flag, which then has to be up already. */
  readonly mayRound: boolean;
  /** Computes into a local. */
  readonly push: () => void;
  /** Puts on the stack whether the result may be taken. */
  readonly check: () => void;
  /** Puts on the stack whether it was not rounded: then it is taken where inexact is not up yet. */
  readonly exact?: () => void;
  /** Takes it to where it belongs. */
  readonly pop: () => void;
  /** What has to be done besides where the interpreter did it. */
  readonly after?: () => void;
}

/**
 * WebAssembly computes as the guest would where FPCR asks for nothing else, operands and result are
 * ordinary numbers, and the only flag that could be raised, inexact, is up already; it stays up, and
 * programs raise it with their first division. Before that, results are taken that are found to be
 * exact. Everything else is the interpreter's.
 */
export function emitGuarded(
  guest: GuestFunction,
  what: { readonly compute: Computation; readonly pc: number; readonly instruction: Instruction },
): void {
  const { body } = guest;
  const { compute, pc, instruction } = what;
  body.open(wasmOp.block);
  const done = body.depth;
  body.open(wasmOp.block);
  const slow = body.depth;
  const { exact } = compute;
  pushGuard(guest, compute.mayRound && exact === undefined);
  body.op(wasmOp.i32Eqz);
  body.branchUnlikely(slow);
  compute.push();
  compute.check();
  body.op(wasmOp.i32Eqz);
  body.branchUnlikely(slow);
  if (compute.mayRound && exact !== undefined) {
    body.get(local.float);
    body.i32(1);
    body.op(wasmOp.i32Eq);
    body.openUnlikely();
    exact();
    body.op(wasmOp.i32Eqz);
    body.branch(wasmOp.brIf, slow);
    body.end();
  }
  compute.pop();
  body.branch(wasmOp.br, done);
  body.end();
  emitStep(guest, { pc, effects: registerEffects(instruction) });
  compute.after?.();
  body.end();
}

function pushGuard({ body }: GuestFunction, mayRound: boolean): void {
  body.get(local.float);
  if (!mayRound) return;
  body.i32(1);
  body.op(wasmOp.i32GtU);
}

/** The function, and what a block knows of numbers. */
interface Numbers extends GuestFunction {
  readonly state: BlockState;
}

export function emitFloat(
  guest: GuestFunction,
  instruction: InlineFloat,
  context: { readonly pc: number; readonly state: BlockState },
): boolean {
  const { pc, state } = context;
  const compute = computation({ ...guest, state }, instruction);
  if (compute === undefined) return false;
  emitGuarded(guest, { compute, pc, instruction });
  const written = computedNumber(instruction);
  if (written !== undefined) {
    state.numbers = new Map([...state.numbers, [instruction.rd, written]]);
  }
  return true;
}

/** The width of the number that is in a local of its own afterwards. */
function computedNumber(instruction: InlineFloat): 32 | 64 | undefined {
  if (instruction.kind === 'fp-to-integer') return undefined;
  const width = instruction.kind === 'fp-convert-precision' ? instruction.to : instruction.width;
  return width === 16 ? undefined : width;
}

function computation(guest: Numbers, instruction: InlineFloat): Computation | undefined {
  switch (instruction.kind) {
    case 'fp-one-source':
      return instruction.op === 'fsqrt' ? squareRoot(guest, instruction) : undefined;
    case 'fp-two-source':
      return twoSource(guest, instruction);
    case 'fp-three-source':
      return threeSource(guest, instruction);
    case 'fp-convert-precision':
      return convert(guest, instruction);
    case 'fp-round':
      return roundToIntegral(guest, instruction);
    case 'integer-to-fp':
      return fromInteger(guest, instruction);
    case 'fp-to-integer':
      return toInteger(guest, instruction);
  }
}

function pushFloat(guest: Numbers, register: number, ops: FloatOps): void {
  if (guest.state.numbers.get(register) === ops.width) {
    guest.body.get(ops.copies + register);
    return;
  }
  pushVector(guest, register);
  guest.body.simdLane(ops.extract, 0);
}

/** Takes the result, to the register and to a local of its own. */
function taken(
  { body }: GuestFunction,
  register: number,
  ops: FloatOps,
): Pick<Computation, 'pop' | 'after'> {
  return {
    pop: () => {
      body.simdZero();
      body.get(ops.result);
      body.simdLane(ops.replace, 0);
      body.set(local.vectors + register);
      body.get(ops.result);
      body.set(ops.copies + register);
    },
    after: () => {
      body.get(local.vectors + register);
      body.simdLane(ops.extract, 0);
      body.set(ops.copies + register);
    },
  };
}

/** Neither a NaN nor infinite. */
function pushFinite({ body }: GuestFunction, ops: FloatOps): void {
  body.get(ops.result);
  body.op(ops.abs);
  ops.constant(body, Infinity);
  body.op(ops.lt);
}

/** Not so small that it may have been rounded to a denormal or to zero. */
function pushNormal({ body }: GuestFunction, ops: FloatOps): void {
  body.get(ops.result);
  body.op(ops.abs);
  ops.constant(body, ops.least);
  body.op(ops.gt);
}

function pushIsZero(guest: Numbers, register: number, ops: FloatOps): void {
  pushFloat(guest, register, ops);
  ops.constant(guest.body, 0);
  guest.body.op(ops.eq);
}

function pushIsNumber({ body }: GuestFunction, ops: FloatOps): void {
  body.get(ops.result);
  body.get(ops.result);
  body.op(ops.eq);
}

function squareRoot(
  guest: Numbers,
  { width, rd, rn }: Extract<InlineFloat, { readonly kind: 'fp-one-source' }>,
): Computation | undefined {
  const ops = floatOps(width);
  return {
    mayRound: true,
    push: () => {
      pushFloat(guest, rn, ops);
      guest.body.op(ops.sqrt);
      guest.body.set(ops.result);
    },
    check: () => pushFinite(guest, ops),
    exact: () => {
      const root = (): void => guest.body.get(ops.result);
      pushProductIsExact({ ops, body: guest.body }, [root, root], () => pushFloat(guest, rn, ops));
    },
    ...taken(guest, rd, ops),
  };
}

function twoSource(
  guest: Numbers,
  { op, width, rd, rn, rm }: Extract<InlineFloat, { readonly kind: 'fp-two-source' }>,
): Computation {
  const { body } = guest;
  const ops = floatOps(width);
  const operations = {
    fadd: ops.add,
    fsub: ops.sub,
    fmul: ops.mul,
    fnmul: ops.mul,
    fdiv: ops.div,
    fmax: ops.max,
    fmaxnm: ops.max,
    fmin: ops.min,
    fminnm: ops.min,
  };
  const chooses = op.startsWith('fm') && op !== 'fmul';
  const product = op === 'fmul' || op === 'fnmul';
  const first = (): void => pushFloat(guest, rn, ops);
  const second = (): void => pushFloat(guest, rm, ops);
  const negated = (push: () => void) => (): void => {
    push();
    body.op(ops.neg);
  };
  const result = (): void => body.get(ops.result);
  return {
    mayRound: !chooses,
    push: () => {
      pushFloat(guest, rn, ops);
      pushFloat(guest, rm, ops);
      body.op(operations[op]);
      if (op === 'fnmul') body.op(ops.neg);
      body.set(ops.result);
    },
    check: () => {
      if (chooses) {
        pushIsNumber(guest, ops);
        return;
      }
      pushFinite(guest, ops);
      // Sums that are small are exact. A factor of zero makes an exact zero.
      if (!product && op !== 'fdiv') return;
      pushNormal(guest, ops);
      pushIsZero(guest, rn, ops);
      body.op(wasmOp.i32Or);
      if (product) {
        pushIsZero(guest, rm, ops);
        body.op(wasmOp.i32Or);
      }
      body.op(wasmOp.i32And);
    },
    exact: () => {
      const how = { ops, body };
      if (op === 'fadd') pushSumIsExact(how, first, second);
      else if (op === 'fsub') pushSumIsExact(how, first, negated(second));
      else if (op === 'fdiv') pushProductIsExact(how, [result, second], first);
      else pushProductIsExact(how, [first, op === 'fnmul' ? negated(second) : second], result);
    },
    ...taken(guest, rd, ops),
  };
}

function threeSource(
  guest: Numbers,
  { op, width, rd, rn, rm, ra }: Extract<InlineFloat, { readonly kind: 'fp-three-source' }>,
): Computation {
  const { body } = guest;
  const ops = floatOps(width);
  return {
    mayRound: true,
    push: () => {
      pushFloat(guest, rn, ops);
      if (op === 'fmsub' || op === 'fnmadd') body.op(ops.neg);
      pushFloat(guest, rm, ops);
      pushFloat(guest, ra, ops);
      if (op === 'fnmadd' || op === 'fnmsub') body.op(ops.neg);
      body.call(width === 64 ? moduleIndex.fuse64 : moduleIndex.fuse32);
      body.set(ops.result);
    },
    check: () => pushFinite(guest, ops),
    ...taken(guest, rd, ops),
  };
}

/**
 * A comparison leaves its operands, so that what asks compares them at once. NaNs are left to the
 * interpreter with all that follows, as they would have to be asked for each time.
 */
export function emitCompare(
  guest: GuestFunction,
  instruction: Extract<
    FloatingInstruction,
    { readonly kind: 'fp-compare' | 'fp-conditional-compare' }
  >,
  context: { readonly pc: number; readonly state: BlockState },
): void {
  const { width, rn, rm } = instruction;
  const { body } = guest;
  const { state } = context;
  const ops = floatOps(width);
  const numbers = { ...guest, state };
  body.get(local.float);
  body.op(wasmOp.i32Eqz);
  pushFloat(numbers, rn, ops);
  if (rm === undefined) ops.constant(body, 0);
  else pushFloat(numbers, rm, ops);
  // Not less, equal or greater: one of them is a NaN.
  body.op(ops.le);
  if (rm === undefined) ops.constant(body, 0);
  else pushFloat(numbers, rm, ops);
  pushFloat(numbers, rn, ops);
  body.op(ops.le, wasmOp.i32Or, wasmOp.i32Eqz, wasmOp.i32Or);
  body.openUnlikely();
  exitTo(guest, context.pc, true);
  body.end();
  const keep = (to: number): void => {
    if (width === 32) body.op(wasmOp.f64PromoteF32);
    body.op(wasmOp.i64ReinterpretF64);
    body.set(to);
  };
  pushFloat(numbers, rn, ops);
  keep(local.flagsA);
  if (rm === undefined) {
    body.i64(0n);
    body.set(local.flagsB);
  } else {
    pushFloat(numbers, rm, ops);
    keep(local.flagsB);
  }
  body.i32(flagsKind.float);
  body.set(local.flagsKind);
  state.flags = { kind: 'float' };
}

/** FCCMP: a comparison where a condition holds, else flags that are given. */
export function emitConditionalFloat(
  guest: GuestFunction,
  instruction: Extract<FloatingInstruction, { readonly kind: 'fp-conditional-compare' }>,
  context: { readonly pc: number; readonly state: BlockState },
): void {
  const { body } = guest;
  const { state } = context;
  pushCondition(body, instruction.condition, state.flags);
  body.open(wasmOp.if);
  emitCompare(guest, instruction, context);
  body.op(wasmOp.else);
  body.i32(instruction.nzcv);
  body.set(local.nzcv);
  body.i32(flagsKind.ready);
  body.set(local.flagsKind);
  body.end();
  state.flags = undefined;
}

function convert(
  guest: Numbers,
  { from, to, rd, rn }: Extract<InlineFloat, { readonly kind: 'fp-convert-precision' }>,
): Computation | undefined {
  if (from === 16 || to === 16) return undefined;
  const source = floatOps(from);
  const target = floatOps(to);
  return {
    mayRound: to === 32,
    push: () => {
      pushFloat(guest, rn, source);
      guest.body.op(to === 64 ? wasmOp.f64PromoteF32 : wasmOp.f32DemoteF64);
      guest.body.set(target.result);
    },
    check: () => {
      pushFinite(guest, target);
      if (to === 64) return;
      pushNormal(guest, target);
      pushIsZero(guest, rn, source);
      guest.body.op(wasmOp.i32Or, wasmOp.i32And);
    },
    exact: () => {
      guest.body.get(target.result);
      if (to === 32) guest.body.op(wasmOp.f64PromoteF32);
      pushFloat(guest, rn, source);
      guest.body.op(source.eq);
    },
    ...taken(guest, rd, target),
  };
}

/** Puts the number on the stack rounded so; undefined for ties away from zero and what FPCR says. */
function roundingOp(rounding: string | undefined, ops: FloatOps): WasmOp | undefined {
  switch (rounding) {
    case undefined:
    case 'even':
      // FPCR is zero where this is used, which is to nearest.
      return ops.nearest;
    case 'up':
      return ops.ceil;
    case 'down':
      return ops.floor;
    case 'zero':
      return ops.trunc;
    default:
      return undefined;
  }
}

function roundToIntegral(
  guest: Numbers,
  { width, rounding, exact, rd, rn }: Extract<InlineFloat, { readonly kind: 'fp-round' }>,
): Computation | undefined {
  const ops = floatOps(width);
  const operation = roundingOp(rounding, ops);
  if (operation === undefined) return undefined;
  return {
    mayRound: exact,
    push: () => {
      pushFloat(guest, rn, ops);
      guest.body.op(operation);
      guest.body.set(ops.result);
    },
    check: () => pushIsNumber(guest, ops),
    exact: () => {
      pushFloat(guest, rn, ops);
      guest.body.get(ops.result);
      guest.body.op(ops.eq);
    },
    ...taken(guest, rd, ops),
  };
}

function fromInteger(
  guest: Numbers,
  instruction: Extract<InlineFloat, { readonly kind: 'integer-to-fp' }>,
): Computation | undefined {
  const { width, wide, signed, fractionBits, rd, rn } = instruction;
  if (width === 16) return undefined;
  const { body } = guest;
  const ops = floatOps(width);
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
      // A power of two changes nothing but the exponent.
      if (fractionBits > 0) {
        ops.constant(body, 2 ** -fractionBits);
        body.op(ops.mul);
      }
      body.set(ops.result);
    },
    check: () => body.i32(1),
    exact: () => pushIsSmallInteger({ ops, body }, 2 ** -fractionBits),
    ...taken(guest, rd, ops),
  };
}

function toInteger(
  guest: Numbers,
  instruction: Extract<InlineFloat, { readonly kind: 'fp-to-integer' }>,
): Computation | undefined {
  const { width, wide, signed, rounding, fractionBits, rd, rn } = instruction;
  if (fractionBits > 0 || width === 16) return undefined;
  const { body } = guest;
  const ops = floatOps(width);
  const operation = roundingOp(rounding, ops);
  if (operation === undefined) return undefined;
  const most = signed ? (wide ? 2 ** 63 : 2 ** 31) : wide ? 2 ** 63 : 2 ** 32;
  return {
    mayRound: true,
    push: () => {
      pushFloat(guest, rn, ops);
      body.op(operation);
      body.set(ops.result);
    },
    // Inside of what the integer can be, for which its least value is given up; a NaN is not.
    check: () => {
      body.get(ops.result);
      if (signed) body.op(ops.abs);
      ops.constant(body, most);
      body.op(ops.lt);
      if (signed) return;
      body.get(ops.result);
      ops.constant(body, 0);
      body.op(ops.ge, wasmOp.i32And);
    },
    exact: () => {
      pushFloat(guest, rn, ops);
      body.get(ops.result);
      body.op(ops.eq);
    },
    pop: () => {
      body.get(ops.result);
      body.op(width === 64 ? wasmOp.i64TruncF64S : wasmOp.i64TruncF32S);
      if (!wide) body.op(wasmOp.i32WrapI64);
      popRegister(guest, rd, wide);
    },
  };
}
