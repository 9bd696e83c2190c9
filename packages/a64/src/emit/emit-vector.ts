import type { FloatingInstruction } from '../floating-instruction.ts';
import type { VectorInstruction } from '../vector-instruction.ts';
import type { BlockState } from './emit-integer.ts';
import {
  type GuestFunction,
  popLow,
  popRegister,
  popVector,
  pushRegister,
  pushVector,
} from './guest-function.ts';
import { pushCondition } from './lazy-flags.ts';
import { simdOp, wasmOp } from './wasm.ts';

/** What moves bits of vector registers without computing with them. */
export type InlineVector =
  | Extract<
      FloatingInstruction,
      {
        readonly kind:
          | 'fp-one-source'
          | 'fp-immediate'
          | 'fp-move-general'
          | 'fp-conditional-select';
      }
    >
  | Extract<
      VectorInstruction,
      {
        readonly kind:
          | 'vector-logical'
          | 'vector-immediate'
          | 'vector-duplicate'
          | 'vector-duplicate-general'
          | 'vector-to-general'
          | 'vector-insert-general'
          | 'vector-insert';
      }
    >;
type Of<Kind extends InlineVector['kind']> = Extract<InlineVector, { readonly kind: Kind }>;

const unsignedExtracts = [
  simdOp.i8x16ExtractU,
  simdOp.i16x8ExtractU,
  simdOp.i32x4Extract,
  simdOp.i64x2Extract,
];
const signedExtracts = [
  simdOp.i8x16ExtractS,
  simdOp.i16x8ExtractS,
  simdOp.i32x4Extract,
  simdOp.i64x2Extract,
];
const replaces = [
  simdOp.i8x16Replace,
  simdOp.i16x8Replace,
  simdOp.i32x4Replace,
  simdOp.i64x2Replace,
];
const splats = [simdOp.i8x16Splat, simdOp.i16x8Splat, simdOp.i32x4Splat, simdOp.i64x2Splat];

/** A lane as 64 bits, or as 32 where `wide` is false. */
function pushLane(
  guest: GuestFunction,
  lane: { readonly register: number; readonly size: number; readonly index: number },
  how: { readonly signed?: boolean; readonly wide?: boolean } = {},
): void {
  const { body } = guest;
  const { signed = false, wide = true } = how;
  pushVector(guest, lane.register);
  const extract = (signed ? signedExtracts : unsignedExtracts)[lane.size] ?? simdOp.i64x2Extract;
  body.simdLane(extract, lane.index);
  if (lane.size === 3) {
    if (!wide) body.op(wasmOp.i32WrapI64);
  } else if (wide) body.op(signed ? wasmOp.i64ExtendI32S : wasmOp.i64ExtendI32U);
}

/** False where the interpreter has to do it. */
export function emitVectorMove(
  guest: GuestFunction,
  instruction: InlineVector,
  state: BlockState,
): boolean {
  switch (instruction.kind) {
    case 'fp-one-source':
      return emitOneSource(guest, instruction);
    case 'fp-immediate':
      guest.body.simdConstant(instruction.bits, 0n);
      popVector(guest, instruction.rd, true);
      return true;
    case 'fp-move-general':
      emitMoveGeneral(guest, instruction);
      return true;
    case 'fp-conditional-select':
      emitSelect(guest, instruction, state);
      return true;
    case 'vector-logical':
      emitLogical(guest, instruction);
      return true;
    case 'vector-immediate':
      emitImmediate(guest, instruction);
      return true;
    case 'vector-duplicate':
    case 'vector-duplicate-general':
      emitDuplicate(guest, instruction);
      return true;
    case 'vector-to-general': {
      const { op, size, index, wide, rd, rn } = instruction;
      pushLane(guest, { register: rn, size, index }, { signed: op === 'smov', wide });
      popRegister(guest, rd, wide);
      return true;
    }
    case 'vector-insert-general':
    case 'vector-insert':
      emitInsert(guest, instruction);
      return true;
  }
}

function emitOneSource(guest: GuestFunction, { op, width, rd, rn }: Of<'fp-one-source'>): boolean {
  if (op === 'fsqrt' || width === 16) return false;
  const { body } = guest;
  const sign = 1n << BigInt(width - 1);
  const value = (1n << BigInt(width)) - 1n;
  // One lane of what is left, as all else is zero.
  pushVector(guest, rn);
  body.simdConstant(op === 'fabs' ? value ^ sign : value, 0n);
  body.simd(simdOp.and);
  if (op === 'fneg') {
    body.simdConstant(sign, 0n);
    body.simd(simdOp.xor);
  }
  popVector(guest, rd, true);
  return true;
}

function emitMoveGeneral(
  guest: GuestFunction,
  { toGeneral, width, upper, rd, rn }: Of<'fp-move-general'>,
): void {
  const { body } = guest;
  const lane = { size: width === 64 ? 3 : 2, index: upper ? 1 : 0 };
  if (toGeneral) {
    pushLane(guest, { register: rn, ...lane });
    popRegister(guest, rd, true);
    return;
  }
  if (upper) pushVector(guest, rd);
  else body.simdZero();
  pushRegister(guest, rn, width === 64);
  body.simdLane(width === 64 ? simdOp.i64x2Replace : simdOp.i32x4Replace, lane.index);
  popVector(guest, rd, true);
}

function emitSelect(
  guest: GuestFunction,
  { width, rd, rn, rm, condition }: Of<'fp-conditional-select'>,
  state: BlockState,
): void {
  const { body } = guest;
  if (width === 64) {
    for (const register of [rn, rm]) {
      pushVector(guest, register);
      body.simdLane(simdOp.i64x2Extract, 0);
    }
  } else {
    for (const register of [rn, rm]) {
      pushLane(guest, { register, size: width === 32 ? 2 : 1, index: 0 });
    }
  }
  state.flags = pushCondition(body, condition, state.flags);
  body.op(wasmOp.select);
  popLow(guest, rd);
}

function emitLogical(guest: GuestFunction, { op, q, rd, rn, rm }: Of<'vector-logical'>): void {
  const { body } = guest;
  // Bits of the first where the mask is 1, else of the second.
  const choose = (first: number, second: number, mask: number): void => {
    pushVector(guest, first);
    pushVector(guest, second);
    pushVector(guest, mask);
    body.simd(simdOp.bitSelect);
  };
  switch (op) {
    case 'bsl':
      choose(rn, rm, rd);
      break;
    case 'bit':
      choose(rn, rd, rm);
      break;
    case 'bif':
      choose(rd, rn, rm);
      break;
    default: {
      pushVector(guest, rn);
      pushVector(guest, rm);
      if (op === 'orn') body.simd(simdOp.not);
      const operations = {
        and: simdOp.and,
        bic: simdOp.andNot,
        orr: simdOp.or,
        orn: simdOp.or,
        eor: simdOp.xor,
      };
      body.simd(operations[op]);
    }
  }
  popVector(guest, rd, q);
}

function emitImmediate(
  guest: GuestFunction,
  { operation, q, rd, imm }: Of<'vector-immediate'>,
): void {
  const { body } = guest;
  if (operation === 'replace') {
    body.simdConstant(imm, q ? imm : 0n);
    popVector(guest, rd, true);
    return;
  }
  pushVector(guest, rd);
  body.simdConstant(imm, imm);
  body.simd(operation === 'orr' ? simdOp.or : simdOp.andNot);
  popVector(guest, rd, q);
}

function emitDuplicate(
  guest: GuestFunction,
  instruction: Of<'vector-duplicate' | 'vector-duplicate-general'>,
): void {
  const { body } = guest;
  const { size, lanes, rd, rn } = instruction;
  const narrow = { wide: size === 3 };
  // A scalar has the one lane and zeros.
  const spread = lanes > 1;
  if (!spread) body.simdZero();
  if (instruction.kind === 'vector-duplicate') {
    pushLane(guest, { register: rn, size, index: instruction.index }, narrow);
  } else pushRegister(guest, rn, size === 3);
  if (!spread) {
    body.simdLane(replaces[size] ?? simdOp.i64x2Replace, 0);
    popVector(guest, rd, true);
    return;
  }
  body.simd(splats[size] ?? simdOp.i64x2Splat);
  popVector(guest, rd, lanes << size === 16);
}

function emitInsert(
  guest: GuestFunction,
  instruction: Of<'vector-insert-general' | 'vector-insert'>,
): void {
  const { body } = guest;
  const { size, rd, rn } = instruction;
  const general = instruction.kind === 'vector-insert-general';
  pushVector(guest, rd);
  if (general) pushRegister(guest, rn, size === 3);
  else pushLane(guest, { register: rn, size, index: instruction.from }, { wide: size === 3 });
  body.simdLane(
    replaces[size] ?? simdOp.i64x2Replace,
    general ? instruction.index : instruction.to,
  );
  popVector(guest, rd, true);
}
