import type {
  ExtendType,
  IntegerInstruction,
  Register,
  ShiftType,
} from '../integer-instruction.ts';
import { flagsKind } from '../interpret/flags-kind.ts';
import type { CheckedRange } from './checked-range.ts';
import { type GuestFunction, local, popRegister, pushRegister } from './guest-function.ts';
import { flagsKindOf, type KnownFlags, pushCondition } from './lazy-flags.ts';
import { wasmOp, type WasmOp } from './wasm.ts';

type Of<Kind extends IntegerInstruction['kind']> = Extract<
  IntegerInstruction,
  { readonly kind: Kind }
>;

/** What is known while a block is written. */
export interface BlockState {
  flags: KnownFlags;
  /** What is known to be accessible from registers on. */
  checked: readonly CheckedRange[];
  /** Vector registers of which the low number is in a local of its own, and its width. */
  numbers: ReadonlyMap<number, 32 | 64>;
}

const mask32 = 0xffffffffn;
const wideShifts: Readonly<Record<ShiftType, WasmOp>> = {
  0: wasmOp.i64Shl,
  1: wasmOp.i64ShrU,
  2: wasmOp.i64ShrS,
  3: wasmOp.i64Rotr,
};
const narrowShifts: Readonly<Record<ShiftType, WasmOp>> = {
  0: wasmOp.i32Shl,
  1: wasmOp.i32ShrU,
  2: wasmOp.i32ShrS,
  3: wasmOp.i32Rotr,
};

/** Cuts the value on the stack to 32 bits, if the result has no more. */
function narrow({ body }: GuestFunction, wide: boolean): void {
  if (wide) return;
  body.i64(mask32);
  body.op(wasmOp.i64And);
}

/** The second operand of a shifted register, 64 bits on the stack; those above 32 are zero. */
function pushShifted(
  guest: GuestFunction,
  { rm, wide, shift, amount }: Of<'add-sub-shifted' | 'logical-shifted'>,
): void {
  const { body } = guest;
  pushRegister(guest, rm, wide);
  if (wide) {
    if (amount === 0) return;
    body.i64(amount);
    body.op(wideShifts[shift]);
    return;
  }
  if (amount > 0) {
    body.i32(amount);
    body.op(narrowShifts[shift]);
  }
  body.op(wasmOp.i64ExtendI32U);
}

/** A register with its low part extended to 64 bits and shifted. */
export function pushExtended(
  guest: GuestFunction,
  operand: { readonly rm: Register; readonly extend: ExtendType; readonly amount: number },
): void {
  const { body } = guest;
  pushRegister(guest, operand.rm, true);
  const signed = [wasmOp.i64Extend8S, wasmOp.i64Extend16S, wasmOp.i64Extend32S];
  const size = operand.extend & 3;
  const extension = signed[size];
  if (extension !== undefined) {
    if (operand.extend >= 4) body.op(extension);
    else {
      body.i64((1n << BigInt(8 << size)) - 1n);
      body.op(wasmOp.i64And);
    }
  }
  if (operand.amount === 0) return;
  body.i64(operand.amount);
  body.op(wasmOp.i64Shl);
}

function setKnown(
  { body }: GuestFunction,
  state: BlockState,
  known: Exclude<KnownFlags, undefined>,
): void {
  body.i32(flagsKindOf(known));
  body.set(local.flagsKind);
  state.flags = known;
}

export function emitAddSubtract(
  guest: GuestFunction,
  instruction: Of<'add-sub-immediate' | 'add-sub-shifted' | 'add-sub-extended'>,
  state: BlockState,
): void {
  const { body } = guest;
  const { wide, subtract, setFlags, rd, rn } = instruction;
  pushRegister(guest, rn, true);
  if (setFlags) body.tee(local.flagsA);
  switch (instruction.kind) {
    case 'add-sub-immediate':
      body.i64(instruction.imm);
      break;
    case 'add-sub-shifted':
      pushShifted(guest, instruction);
      break;
    case 'add-sub-extended':
      pushExtended(guest, instruction);
      break;
  }
  if (setFlags) body.tee(local.flagsB);
  body.op(subtract ? wasmOp.i64Sub : wasmOp.i64Add);
  narrow(guest, wide);
  popRegister(guest, rd, true);
  if (setFlags) setKnown(guest, state, { kind: subtract ? 'subtract' : 'add', wide });
}

export function emitLogical(
  guest: GuestFunction,
  instruction: Of<'logical-immediate' | 'logical-shifted'>,
  state: BlockState,
): void {
  const { body } = guest;
  const { operation, wide, setFlags, rd, rn } = instruction;
  pushRegister(guest, rn, true);
  if (instruction.kind === 'logical-immediate') body.i64(instruction.imm);
  else {
    pushShifted(guest, instruction);
    if (instruction.invert) {
      body.i64(-1n);
      body.op(wasmOp.i64Xor);
    }
  }
  const operations = { and: wasmOp.i64And, orr: wasmOp.i64Or, eor: wasmOp.i64Xor };
  body.op(operations[operation]);
  narrow(guest, wide);
  if (setFlags) body.tee(local.flagsA);
  popRegister(guest, rd, true);
  if (setFlags) setKnown(guest, state, { kind: 'logical', wide });
}

/** ADC and SBC. */
export function emitCarry(
  guest: GuestFunction,
  { wide, subtract, setFlags, rd, rn, rm }: Of<'add-sub-carry'>,
  state: BlockState,
): void {
  const { body } = guest;
  const pushSecond = (): void => {
    pushRegister(guest, rm, true);
    if (subtract) {
      body.i64(-1n);
      body.op(wasmOp.i64Xor);
    }
    narrow(guest, wide);
  };
  // CS is the carry.
  state.flags = pushCondition(body, 2, state.flags);
  body.op(wasmOp.i64ExtendI32U);
  body.set(local.otherLong);
  pushRegister(guest, rn, true);
  narrow(guest, wide);
  pushSecond();
  body.op(wasmOp.i64Add);
  body.tee(local.long);
  body.get(local.otherLong);
  body.op(wasmOp.i64Add);
  if (!setFlags) {
    narrow(guest, wide);
    popRegister(guest, rd, true);
    return;
  }
  body.set(local.otherLong);
  // V: both operands have another sign than the result.
  const sign = (): void => {
    body.i64(wide ? 63n : 31n);
    body.op(wasmOp.i64ShrU, wasmOp.i32WrapI64);
    body.i32(1);
    body.op(wasmOp.i32And);
  };
  for (const operand of [(): void => pushRegister(guest, rn, true), pushSecond]) {
    operand();
    body.get(local.otherLong);
    body.op(wasmOp.i64Xor);
  }
  body.op(wasmOp.i64And);
  sign();
  // C: one of the two sums came round, or there is a 33rd bit.
  if (wide) {
    body.get(local.long);
    pushRegister(guest, rn, true);
    body.op(wasmOp.i64LtU);
    body.get(local.otherLong);
    body.get(local.long);
    body.op(wasmOp.i64LtU, wasmOp.i32Or);
  } else {
    body.get(local.otherLong);
    body.i64(32n);
    body.op(wasmOp.i64ShrU, wasmOp.i32WrapI64);
  }
  body.i32(1);
  body.op(wasmOp.i32Shl, wasmOp.i32Or);
  body.get(local.otherLong);
  if (wide) body.op(wasmOp.i64Eqz);
  else body.op(wasmOp.i32WrapI64, wasmOp.i32Eqz);
  body.i32(2);
  body.op(wasmOp.i32Shl, wasmOp.i32Or);
  body.get(local.otherLong);
  sign();
  body.i32(3);
  body.op(wasmOp.i32Shl, wasmOp.i32Or);
  body.set(local.nzcv);
  body.i32(flagsKind.ready);
  body.set(local.flagsKind);
  state.flags = { kind: 'ready' };
  body.get(local.otherLong);
  narrow(guest, wide);
  popRegister(guest, rd, true);
}

export function emitMoveWide(
  guest: GuestFunction,
  { op, wide, rd, imm, shift }: Of<'move-wide'>,
): void {
  const { body } = guest;
  const value = BigInt(imm) << BigInt(shift);
  if (op === 'movk') {
    pushRegister(guest, rd, true);
    body.i64(~(0xffffn << BigInt(shift)));
    body.op(wasmOp.i64And);
    body.i64(value);
    body.op(wasmOp.i64Or);
  } else body.i64(BigInt.asUintN(wide ? 64 : 32, op === 'movn' ? ~value : value));
  if (op === 'movk') narrow(guest, wide);
  popRegister(guest, rd, true);
}

export function emitBitfield(
  guest: GuestFunction,
  { op, wide, rd, rn, immr, imms }: Of<'bitfield'>,
): void {
  const { body } = guest;
  const bits = wide ? 64 : 32;
  const down = imms >= immr;
  const width = down ? imms - immr + 1 : imms + 1;
  const position = down ? 0 : bits - immr;
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(position);
  if (op === 'bfm') {
    pushRegister(guest, rd, true);
    body.i64(~mask);
    body.op(wasmOp.i64And);
  }
  pushRegister(guest, rn, true);
  const shift = (
    by: number,
    how: typeof wasmOp.i64Shl | typeof wasmOp.i64ShrU | typeof wasmOp.i64ShrS,
  ): void => {
    if (by === 0) return;
    body.i64(by);
    body.op(how);
  };
  if (op === 'sbfm') {
    shift(63 - imms, wasmOp.i64Shl);
    shift(64 - width, wasmOp.i64ShrS);
    shift(position, wasmOp.i64Shl);
  } else {
    if (down) shift(immr, wasmOp.i64ShrU);
    else shift(position, wasmOp.i64Shl);
    body.i64(mask);
    body.op(wasmOp.i64And);
  }
  if (op === 'bfm') body.op(wasmOp.i64Or);
  narrow(guest, wide);
  popRegister(guest, rd, true);
}

export function emitExtract(guest: GuestFunction, { wide, rd, rn, rm, lsb }: Of<'extract'>): void {
  const { body } = guest;
  if (wide && lsb === 0) {
    pushRegister(guest, rm, true);
    popRegister(guest, rd, true);
    return;
  }
  pushRegister(guest, rn, true);
  body.i64(wide ? 64 - lsb : 32);
  body.op(wasmOp.i64Shl);
  pushRegister(guest, rm, true);
  if (wide) {
    body.i64(lsb);
    body.op(wasmOp.i64ShrU, wasmOp.i64Or);
  } else {
    narrow(guest, false);
    body.op(wasmOp.i64Or);
    body.i64(lsb);
    body.op(wasmOp.i64ShrU);
    narrow(guest, false);
  }
  popRegister(guest, rd, true);
}

export function emitConditionalCompare(
  guest: GuestFunction,
  instruction: Of<'conditional-compare'>,
  state: BlockState,
): void {
  const { body } = guest;
  const { op, wide, rn, rm, imm, condition, nzcv } = instruction;
  pushCondition(body, condition, state.flags);
  body.open(wasmOp.if);
  pushRegister(guest, rn, true);
  body.set(local.flagsA);
  if (rm === undefined) body.i64(imm);
  else pushRegister(guest, rm, true);
  body.set(local.flagsB);
  const kind = op === 'ccmp' ? flagsKind.subtract : flagsKind.add;
  body.i32(kind + (wide ? 0 : 1));
  body.set(local.flagsKind);
  body.op(wasmOp.else);
  body.i32(nzcv);
  body.set(local.nzcv);
  body.i32(flagsKind.ready);
  body.set(local.flagsKind);
  body.end();
  state.flags = undefined;
}

export function emitConditionalSelect(
  guest: GuestFunction,
  { op, wide, rd, rn, rm, condition }: Of<'conditional-select'>,
  state: BlockState,
): void {
  const { body } = guest;
  pushRegister(guest, rn, true);
  if (op === 'csneg') body.i64(0n);
  pushRegister(guest, rm, true);
  if (op === 'csinc') {
    body.i64(1n);
    body.op(wasmOp.i64Add);
  } else if (op === 'csinv') {
    body.i64(-1n);
    body.op(wasmOp.i64Xor);
  } else if (op === 'csneg') body.op(wasmOp.i64Sub);
  state.flags = pushCondition(body, condition, state.flags);
  body.op(wasmOp.select);
  narrow(guest, wide);
  popRegister(guest, rd, true);
}
