import type { IntegerInstruction } from '../integer-instruction.ts';
import { moduleIndex } from './build-module.ts';
import { type GuestFunction, local, popRegister, pushRegister } from './guest-function.ts';
import { wasmOp } from './wasm.ts';

type Of<Kind extends IntegerInstruction['kind']> = Extract<
  IntegerInstruction,
  { readonly kind: Kind }
>;

export function emitThreeSource(
  guest: GuestFunction,
  { op, wide, rd, rn, rm, ra }: Of<'three-source'>,
): void {
  const { body } = guest;
  if (op === 'umulh' || op === 'smulh') {
    emitUpperProduct(guest, { signed: op === 'smulh', rd, rn, rm });
    return;
  }
  const factor = (register: number): void => {
    pushRegister(guest, register, true);
    if (op === 'smaddl' || op === 'smsubl') body.op(wasmOp.i64Extend32S);
    if (op === 'umaddl' || op === 'umsubl') {
      body.i64(0xffffffffn);
      body.op(wasmOp.i64And);
    }
  };
  pushRegister(guest, ra, true);
  factor(rn);
  factor(rm);
  const subtract = op === 'msub' || op === 'smsubl' || op === 'umsubl';
  body.op(wasmOp.i64Mul, subtract ? wasmOp.i64Sub : wasmOp.i64Add);
  if (!wide) body.op(wasmOp.i32WrapI64);
  popRegister(guest, rd, wide);
}

/** A negative factor counts its other one 2^64 times too often. */
function emitUpperProduct(
  guest: GuestFunction,
  how: {
    readonly signed: boolean;
    readonly rd: number;
    readonly rn: number;
    readonly rm: number;
  },
): void {
  const { body } = guest;
  const { signed, rd, rn, rm } = how;
  pushRegister(guest, rn, true);
  pushRegister(guest, rm, true);
  body.call(moduleIndex.multiplyHigh);
  if (signed) {
    for (const [a, b] of [
      [rn, rm],
      [rm, rn],
    ] as const) {
      pushRegister(guest, a, true);
      body.i64(63n);
      body.op(wasmOp.i64ShrS);
      pushRegister(guest, b, true);
      body.op(wasmOp.i64And, wasmOp.i64Sub);
    }
  }
  popRegister(guest, rd, true);
}

export function emitTwoSource(
  guest: GuestFunction,
  { op, wide, rd, rn, rm }: Of<'two-source'>,
): void {
  const { body } = guest;
  if (op === 'udiv' || op === 'sdiv') {
    emitDivision(guest, { signed: op === 'sdiv', wide, rn, rm });
    if (!wide) body.op(wasmOp.i32WrapI64);
    popRegister(guest, rd, wide);
    return;
  }
  pushRegister(guest, rn, wide);
  pushRegister(guest, rm, wide);
  // Amounts are taken modulo the width, here as there.
  const shifts = {
    lslv: [wasmOp.i32Shl, wasmOp.i64Shl],
    lsrv: [wasmOp.i32ShrU, wasmOp.i64ShrU],
    asrv: [wasmOp.i32ShrS, wasmOp.i64ShrS],
    rorv: [wasmOp.i32Rotr, wasmOp.i64Rotr],
  } as const;
  body.op(shifts[op][wide ? 1 : 0]);
  popRegister(guest, rd, wide);
}

/** Where WebAssembly traps, the guest gets zero, or the least number again. */
function emitDivision(
  guest: GuestFunction,
  how: {
    readonly signed: boolean;
    readonly wide: boolean;
    readonly rn: number;
    readonly rm: number;
  },
): void {
  const { body } = guest;
  const { signed, wide } = how;
  const operand = (register: number): void => {
    pushRegister(guest, register, wide);
    if (!wide) body.op(signed ? wasmOp.i64ExtendI32S : wasmOp.i64ExtendI32U);
  };
  operand(how.rn);
  body.set(local.long);
  operand(how.rm);
  body.set(local.otherLong);
  // By -1 it is a subtraction, which does not overflow.
  if (signed) {
    body.i64(0n);
    body.get(local.long);
    body.op(wasmOp.i64Sub);
  }
  body.i64(0n);
  body.get(local.long);
  body.i64(1n);
  body.get(local.otherLong);
  body.get(local.otherLong);
  if (signed) {
    body.i64(1n);
    body.op(wasmOp.i64Add);
    body.i64(2n);
    body.op(wasmOp.i64LtU);
  } else body.op(wasmOp.i64Eqz);
  body.op(wasmOp.select, signed ? wasmOp.i64DivS : wasmOp.i64DivU);
  body.get(local.otherLong);
  body.op(wasmOp.i64Eqz, wasmOp.select);
  if (!signed) return;
  body.get(local.otherLong);
  body.i64(-1n);
  body.op(wasmOp.i64Eq, wasmOp.select);
}

const swaps: readonly (readonly [by: bigint, mask: bigint])[] = [
  [1n, 0x5555555555555555n],
  [2n, 0x3333333333333333n],
  [4n, 0x0f0f0f0f0f0f0f0fn],
  [8n, 0x00ff00ff00ff00ffn],
  [16n, 0x0000ffff0000ffffn],
];

export function emitOneSource(guest: GuestFunction, { op, wide, rd, rn }: Of<'one-source'>): void {
  const { body } = guest;
  if (op === 'clz' || op === 'cls') {
    pushRegister(guest, rn, wide);
    if (op === 'cls') emitSignDifference(guest, rn, wide);
    body.op(wide ? wasmOp.i64Clz : wasmOp.i32Clz);
    if (op === 'cls') {
      if (wide) body.i64(1n);
      else body.i32(1);
      body.op(wide ? wasmOp.i64Sub : wasmOp.i32Sub);
    }
    popRegister(guest, rd, wide);
    return;
  }
  // Neighbours change places: bits, pairs, fours, bytes, halves, words, as far as is asked for.
  const first = op === 'rbit' ? 0 : 3;
  const last = op === 'rev16' ? 4 : 5;
  pushRegister(guest, rn, true);
  for (const [by, mask] of swaps.slice(first, last)) {
    body.tee(local.long);
    body.i64(mask);
    body.op(wasmOp.i64And);
    body.i64(by);
    body.op(wasmOp.i64Shl);
    body.get(local.long);
    body.i64(by);
    body.op(wasmOp.i64ShrU);
    body.i64(mask);
    body.op(wasmOp.i64And, wasmOp.i64Or);
  }
  if (wide && (op === 'rev' || op === 'rbit')) {
    body.i64(32n);
    body.op(wasmOp.i64Rotr);
  }
  if (!wide) body.op(wasmOp.i32WrapI64);
  popRegister(guest, rd, wide);
}

/** Bits that are unlike the sign, from a value on the stack. */
function emitSignDifference(guest: GuestFunction, rn: number, wide: boolean): void {
  const { body } = guest;
  pushRegister(guest, rn, wide);
  if (wide) body.i64(63n);
  else body.i32(31);
  body.op(wide ? wasmOp.i64ShrS : wasmOp.i32ShrS, wide ? wasmOp.i64Xor : wasmOp.i32Xor);
}
