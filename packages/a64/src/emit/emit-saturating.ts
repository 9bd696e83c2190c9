import { floatFlag } from '../float/float-environment.ts';
import { cpuLayout } from '../interpret/cpu-layout.ts';
import type { LaneOperation, VectorInstruction } from '../vector-instruction.ts';
import { type GuestFunction, local, popVector, pushVector } from './guest-function.ts';
import { machineLayout } from './machine-layout.ts';
import { arithmeticOp } from './simd-lane-operations.ts';
import { simdOp, wasmOp } from './wasm.ts';

type Of<Kind extends VectorInstruction['kind']> = Extract<
  VectorInstruction,
  { readonly kind: Kind }
>;
type Push = () => void;

/**
 * Integer lanes that WebAssembly has no operation for, or none of this width: halved and saturated sums,
 * rounded shifts, shifts by a register, narrow lanes. False for what is left to the interpreter.
 */
export function emitSaturating(
  guest: GuestFunction,
  instruction: Of<
    'vector-lanes' | 'vector-shift' | 'vector-narrow' | 'vector-shift-narrow' | 'vector-narrow-high'
  >,
): boolean {
  const { size, lanes } = instruction;
  const narrows = instruction.kind !== 'vector-lanes' && instruction.kind !== 'vector-shift';
  // Scalars of all widths but one are half of a register's lanes and more.
  if (narrows ? lanes === 1 : lanes << size < 8) return false;
  switch (instruction.kind) {
    case 'vector-lanes':
      return emitTwo(guest, instruction);
    case 'vector-shift':
      return emitRoundedShift(guest, instruction);
    case 'vector-narrow':
      return emitNarrow(guest, { ...instruction, amount: 0 });
    case 'vector-shift-narrow':
      return emitNarrow(guest, instruction);
    case 'vector-narrow-high':
      return emitNarrowHigh(guest, instruction);
  }
}

function emitTwo(guest: GuestFunction, instruction: Of<'vector-lanes'>): boolean {
  const { op, size, lanes, rd, rn, rm, index } = instruction;
  if (index !== undefined) return false;
  const bytes = lanes << size;
  const [a, b] = [(): void => pushVector(guest, rn), (): void => pushVector(guest, rm)];
  if (op === 'sshl' || op === 'ushl') {
    if (size < 2) return false;
    shiftByLanes(guest, { signed: op === 'sshl', size, lanes, a, b });
  } else if (op === 'sqadd' || op === 'uqadd' || op === 'sqsub' || op === 'uqsub') {
    saturatedSum(guest, { op, size, bytes, a, b });
  } else {
    const halved = halvedSum(op);
    if (halved === undefined) return false;
    halved(guest, size, a, b);
  }
  popVector(guest, rd, bytes === 16);
  return true;
}

/**
 * The sum without its carry and the carries are two numbers, of which the first is halved: a + b is
 * (a ^ b) + 2 (a & b), and a - b is (a ^ b) - 2 (~a & b).
 */
function halvedSum(
  op: LaneOperation,
): ((guest: GuestFunction, size: number, a: Push, b: Push) => void) | undefined {
  const parts = /^([su])(h|rh)(add|sub)$/.exec(op);
  if (parts === null) return undefined;
  const [, sign, rounds, name] = parts;
  return (guest, size, a, b) => {
    const { body } = guest;
    const half = (): void => {
      a();
      b();
      body.simd(simdOp.xor);
      body.i32(1);
      body.simd(arithmeticOp(sign === 's' ? 'sshr' : 'ushr', size));
    };
    const carries = (operation: number, first: Push, second: Push): void => {
      first();
      second();
      body.simd(operation);
    };
    if (name === 'sub') {
      half();
      // b without the bits of a.
      carries(simdOp.andNot, b, a);
      body.simd(arithmeticOp('sub', size));
    } else if (rounds === 'rh') {
      carries(simdOp.or, a, b);
      half();
      body.simd(arithmeticOp('sub', size));
    } else {
      carries(simdOp.and, a, b);
      half();
      body.simd(arithmeticOp('add', size));
    }
  };
}

function saturatedSum(
  guest: GuestFunction,
  what: {
    readonly op: 'sqadd' | 'uqadd' | 'sqsub' | 'uqsub';
    readonly size: number;
    readonly bytes: number;
    readonly a: Push;
    readonly b: Push;
  },
): void {
  const { body } = guest;
  const { op, size, bytes, a, b } = what;
  const adds = op.endsWith('add');
  const sum = (): void => body.get(local.quad);
  const over = (): void => body.get(local.otherQuad);
  const two = (operation: number, first: Push, second: Push) => (): void => {
    first();
    second();
    body.simd(operation);
  };
  const inverted = (push: Push) => (): void => {
    push();
    body.simd(simdOp.not);
  };
  const allBitsOf = (push: Push): void => {
    push();
    body.i32((8 << size) - 1);
    body.simd(arithmeticOp('sshr', size));
  };
  two(arithmeticOp(adds ? 'add' : 'sub', size), a, b)();
  body.set(local.quad);
  // The sign of each says whether the lane went over.
  const signed = two(
    simdOp.and,
    two(simdOp.xor, a, adds ? sum : b),
    two(simdOp.xor, adds ? b : a, sum),
  );
  const carried = two(
    simdOp.or,
    two(simdOp.and, adds ? a : inverted(a), b),
    two(simdOp.and, two(simdOp.or, adds ? a : inverted(a), b), adds ? inverted(sum) : sum),
  );
  allBitsOf(op.startsWith('s') ? signed : carried);
  body.set(local.otherQuad);
  raiseWhereAny(guest, bytes, over);
  if (op === 'uqadd') {
    two(simdOp.or, sum, over)();
    return;
  }
  if (op === 'uqsub') {
    two(simdOp.andNot, sum, over)();
    return;
  }
  // The largest, or the least for a negative one.
  allBitsOf(a);
  const most = (1n << BigInt((8 << size) - 1)) - 1n;
  constantLanes(guest, most, size);
  body.simd(simdOp.xor);
  sum();
  over();
  body.simd(simdOp.bitSelect);
}

function constantLanes({ body }: GuestFunction, lane: bigint, size: number): void {
  let half = 0n;
  for (let at = 0; at < 64; at += 8 << size) half |= lane << BigInt(at);
  body.simdConstant(half, half);
}

/** Sets FPSR's cumulative saturation bit where a lane that is the instruction's has any bit. */
function raiseWhereAny({ body }: GuestFunction, bytes: number, push: Push): void {
  push();
  if (bytes === 16) body.simd(simdOp.anyTrue);
  else {
    body.simdLane(simdOp.i64x2Extract, 0);
    body.op(wasmOp.i64Eqz, wasmOp.i32Eqz);
  }
  body.openUnlikely();
  const place = machineLayout.state + cpuLayout.fpsr;
  body.i32(0);
  body.i32(0);
  body.memory(wasmOp.i32Load, place);
  body.i32(floatFlag.saturated);
  body.op(wasmOp.i32Or);
  body.memory(wasmOp.i32Store, place);
  body.end();
}

/** SSHL and USHL: each lane by the low byte of its own, to the right where that is negative. */
function shiftByLanes(
  guest: GuestFunction,
  what: {
    readonly signed: boolean;
    readonly size: number;
    readonly lanes: number;
    readonly a: Push;
    readonly b: Push;
  },
): void {
  const { body } = guest;
  const { signed, size, lanes, a, b } = what;
  const amount = (): void => body.get(local.otherLong);
  const value = (): void => body.get(local.long);
  const negated = (): void => {
    body.i64(0n);
    amount();
    body.op(wasmOp.i64Sub);
  };
  const extract = (push: Push, lane: number): void => {
    push();
    if (size === 3) body.simdLane(simdOp.i64x2Extract, lane);
    else {
      body.simdLane(simdOp.i32x4Extract, lane);
      body.op(signed ? wasmOp.i64ExtendI32S : wasmOp.i64ExtendI32U);
    }
  };
  body.simdZero();
  for (let lane = 0; lane < lanes; lane++) {
    extract(a, lane);
    body.set(local.long);
    extract(b, lane);
    body.op(wasmOp.i64Extend8S);
    body.set(local.otherLong);
    // Right: of a signed one all bits are its sign in the end, of another none.
    value();
    negated();
    if (signed) {
      body.i64(63n);
      negated();
      body.i64(64n);
      body.op(wasmOp.i64LtU, wasmOp.select, wasmOp.i64ShrS);
    } else {
      body.op(wasmOp.i64ShrU);
      body.i64(0n);
      negated();
      body.i64(64n);
      body.op(wasmOp.i64LtU, wasmOp.select);
    }
    // Left.
    value();
    amount();
    body.op(wasmOp.i64Shl);
    body.i64(0n);
    amount();
    body.i64(64n);
    body.op(wasmOp.i64LtU, wasmOp.select);
    amount();
    body.i64(0n);
    body.op(wasmOp.i64LtS, wasmOp.select);
    if (size === 3) body.simdLane(simdOp.i64x2Replace, lane);
    else {
      body.op(wasmOp.i32WrapI64);
      body.simdLane(simdOp.i32x4Replace, lane);
    }
  }
}

/** Shifted to the right, and the last bit that is lost is added. */
function pushRounded(
  guest: GuestFunction,
  what: { readonly signed: boolean; readonly size: number; readonly amount: number },
  value: Push,
): void {
  const { body } = guest;
  const { signed, size, amount } = what;
  const bits = 8 << size;
  const shift = arithmeticOp(signed ? 'sshr' : 'ushr', size);
  value();
  if (amount < bits) {
    body.i32(amount);
    body.simd(shift);
  } else if (signed) {
    body.i32(bits - 1);
    body.simd(shift);
  } else {
    body.simdZero();
    body.simd(simdOp.and);
  }
  value();
  body.i32(amount - 1);
  body.simd(arithmeticOp('ushr', size));
  constantLanes(guest, 1n, size);
  body.simd(simdOp.and);
  body.simd(arithmeticOp('add', size));
}

function emitRoundedShift(guest: GuestFunction, instruction: Of<'vector-shift'>): boolean {
  const { op, size, lanes, amount, rd, rn } = instruction;
  if (!/^[su]rs(hr|ra)$/.test(op)) return false;
  const accumulates = op.endsWith('ra');
  if (accumulates) pushVector(guest, rd);
  const signed = op.startsWith('s');
  pushRounded(guest, { signed, size, amount }, () => pushVector(guest, rn));
  if (accumulates) guest.body.simd(arithmeticOp('add', size));
  popVector(guest, rd, lanes << size === 16);
  return true;
}

/** From signed lanes of twice the width, to signed and unsigned ones. */
const narrowed = [
  { signed: 0x65, unsigned: 0x66 },
  { signed: 0x85, unsigned: 0x86 },
] as const;

/** Narrow lanes that saturate, after a shift that may be rounded; and RSHRN, which takes what is low. */
function emitNarrow(
  guest: GuestFunction,
  instruction: {
    readonly op: Of<'vector-narrow' | 'vector-shift-narrow'>['op'];
    readonly size: number;
    readonly upper: boolean;
    readonly amount: number;
    readonly rd: number;
    readonly rn: number;
  },
): boolean {
  const { op, size, upper, amount, rd, rn } = instruction;
  const { body } = guest;
  const rounds = op.includes('rshr');
  const wide = size + 1;
  const saturates = op.startsWith('sq') || op.startsWith('uq');
  const operations = narrowed[size];
  if (saturates && operations === undefined) return false;
  // From signed lanes, but of UQXTN and its like.
  const fromSigned = !op.startsWith('uq');
  const toSigned = fromSigned && !op.endsWith('un');
  if (amount === 0) pushVector(guest, rn);
  else if (rounds) {
    const how = { signed: fromSigned, size: wide, amount };
    pushRounded(guest, how, () => pushVector(guest, rn));
  } else {
    pushVector(guest, rn);
    body.i32(amount);
    body.simd(arithmeticOp(fromSigned ? 'sshr' : 'ushr', wide));
  }
  body.set(local.quad);
  const shifted = (): void => body.get(local.quad);
  if (saturates && operations !== undefined) {
    shifted();
    if (!fromSigned) {
      // As signed lanes they are the largest at most.
      constantLanes(guest, (1n << BigInt(8 << size)) - 1n, wide);
      body.simd(arithmeticOp('umin', wide));
    }
    body.simdZero();
    body.simd(toSigned ? operations.signed : operations.unsigned);
    body.set(local.otherQuad);
    // What it was is what it is when it is made wide again.
    raiseWhereAny(guest, 16, () => {
      body.get(local.otherQuad);
      body.simd(arithmeticOp('extendLowSigned', wide) + (toSigned ? 0 : 2));
      shifted();
      body.simd(simdOp.xor);
    });
  } else {
    shifted();
    shifted();
    body.shuffle(lowHalves(size, 0));
    body.set(local.otherQuad);
  }
  placeNarrow(guest, { rd, upper });
  return true;
}

/** The narrow lanes in the lower half of a local go to the half that is asked for. */
function placeNarrow(
  guest: GuestFunction,
  { rd, upper }: { readonly rd: number; readonly upper: boolean },
): void {
  const { body } = guest;
  if (upper) pushVector(guest, rd);
  body.get(local.otherQuad);
  if (upper) body.shuffle(Array.from({ length: 16 }, (_, at) => (at < 8 ? at : at + 8)));
  popVector(guest, rd, upper);
}

/** Bytes of each lane's lower half, or of its upper one. */
function lowHalves(size: number, from: 0 | 1): readonly number[] {
  const bytes = 1 << size;
  return Array.from({ length: 16 }, (_, at) => {
    const lane = Math.floor((at % 8) / bytes);
    return lane * 2 * bytes + from * bytes + (at % bytes);
  });
}

/** ADDHN and its like: the upper half of each lane of a sum. */
function emitNarrowHigh(guest: GuestFunction, instruction: Of<'vector-narrow-high'>): boolean {
  const { op, size, upper, rd, rn, rm } = instruction;
  const { body } = guest;
  const wide = size + 1;
  pushVector(guest, rn);
  pushVector(guest, rm);
  body.simd(arithmeticOp(op.endsWith('addhn') ? 'add' : 'sub', wide));
  if (op.startsWith('r')) {
    constantLanes(guest, 1n << BigInt((8 << size) - 1), wide);
    body.simd(arithmeticOp('add', wide));
  }
  body.set(local.quad);
  body.get(local.quad);
  body.get(local.quad);
  body.shuffle(lowHalves(size, 1));
  body.set(local.otherQuad);
  placeNarrow(guest, { rd, upper });
  return true;
}
