import type { FloatingInstruction } from '../floating-instruction.ts';
import { cpuLayout } from '../interpret/cpu-layout.ts';
import type { VectorInstruction } from '../vector-instruction.ts';
import type { BlockState } from './emit-integer.ts';
import { type GuestFunction, local, popRegister, pushRegister } from './guest-function.ts';
import { pushCondition } from './lazy-flags.ts';
import { wasmOp, type WasmOp } from './wasm.ts';

/** What moves bits of vector registers, which are in the state, without computing with them. */
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

const unsignedLoads: readonly WasmOp[] = [
  wasmOp.i64Load8U,
  wasmOp.i64Load16U,
  wasmOp.i64Load32U,
  wasmOp.i64Load,
];
const signedLoads: readonly WasmOp[] = [
  wasmOp.i64Load8S,
  wasmOp.i64Load16S,
  wasmOp.i64Load32S,
  wasmOp.i64Load,
];
const stores: readonly WasmOp[] = [
  wasmOp.i64Store8,
  wasmOp.i64Store16,
  wasmOp.i64Store32,
  wasmOp.i64Store,
];
/** A lane times this is in all lanes of 64 bits. */
const spread = [0x0101010101010101n, 0x0001000100010001n, 0x0000000100000001n, 1n];

function place(register: number, size = 3, index = 0): number {
  return cpuLayout.vector + register * 16 + (index << size);
}

function pushLane(
  { body }: GuestFunction,
  lane: { readonly register: number; readonly size: number; readonly index: number },
  signed = false,
): void {
  body.get(local.state);
  const op = (signed ? signedLoads : unsignedLoads)[lane.size] ?? wasmOp.i64Load;
  body.memory(op, place(lane.register, lane.size, lane.index));
}

/** The lower half is on the stack; the upper one is the same or zero. */
function popHalves({ body }: GuestFunction, register: number, both: boolean): void {
  body.set(local.long);
  body.get(local.state);
  body.get(local.long);
  body.memory(wasmOp.i64Store, place(register));
  body.get(local.state);
  if (both) body.get(local.long);
  else body.i64(0n);
  body.memory(wasmOp.i64Store, place(register, 3, 1));
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
      guest.body.i64(instruction.bits);
      popHalves(guest, instruction.rd, false);
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
      pushLane(guest, { register: rn, size, index }, op === 'smov');
      if (!wide) guest.body.op(wasmOp.i32WrapI64);
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
  if (op === 'fsqrt') return false;
  const { body } = guest;
  const sign = 1n << BigInt(width - 1);
  pushLane(guest, { register: rn, size: width === 64 ? 3 : 2, index: 0 });
  if (op === 'fabs') {
    body.i64(~sign);
    body.op(wasmOp.i64And);
  } else if (op === 'fneg') {
    body.i64(sign);
    body.op(wasmOp.i64Xor);
  }
  popHalves(guest, rd, false);
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
  if (upper) {
    body.get(local.state);
    pushRegister(guest, rn, true);
    body.memory(wasmOp.i64Store, place(rd, 3, 1));
    return;
  }
  pushRegister(guest, rn, width === 64);
  if (width === 32) body.op(wasmOp.i64ExtendI32U);
  popHalves(guest, rd, false);
}

function emitSelect(
  guest: GuestFunction,
  { width, rd, rn, rm, condition }: Of<'fp-conditional-select'>,
  state: BlockState,
): void {
  const size = width === 64 ? 3 : 2;
  pushLane(guest, { register: rn, size, index: 0 });
  pushLane(guest, { register: rm, size, index: 0 });
  state.flags = pushCondition(guest.body, condition, state.flags);
  guest.body.op(wasmOp.select);
  popHalves(guest, rd, false);
}

function emitLogical(guest: GuestFunction, { op, q, rd, rn, rm }: Of<'vector-logical'>): void {
  const { body } = guest;
  const push = (register: number, index: number): void =>
    pushLane(guest, { register, size: 3, index });
  const invert = (): void => {
    body.i64(-1n);
    body.op(wasmOp.i64Xor);
  };
  // BSL, BIT and BIF take bits of one where a mask says so: x ^ ((x ^ y) & mask).
  const choose = (index: number, from: number, mask: () => void): void => {
    push(from, index);
    push(from, index);
    push(rn, index);
    body.op(wasmOp.i64Xor);
    mask();
    body.op(wasmOp.i64And, wasmOp.i64Xor);
  };
  for (const index of q ? [0, 1] : [0]) {
    body.get(local.state);
    switch (op) {
      case 'bsl':
        choose(index, rm, () => push(rd, index));
        break;
      case 'bit':
        choose(index, rd, () => push(rm, index));
        break;
      case 'bif':
        choose(index, rd, () => {
          push(rm, index);
          invert();
        });
        break;
      default: {
        push(rn, index);
        push(rm, index);
        if (op === 'bic' || op === 'orn') invert();
        const and = op === 'and' || op === 'bic';
        body.op(and ? wasmOp.i64And : op === 'eor' ? wasmOp.i64Xor : wasmOp.i64Or);
      }
    }
    body.memory(wasmOp.i64Store, place(rd, 3, index));
  }
  if (!q) clearUpper(guest, rd);
}

function clearUpper({ body }: GuestFunction, register: number): void {
  body.get(local.state);
  body.i64(0n);
  body.memory(wasmOp.i64Store, place(register, 3, 1));
}

function emitImmediate(
  guest: GuestFunction,
  { operation, q, rd, imm }: Of<'vector-immediate'>,
): void {
  const { body } = guest;
  if (operation === 'replace') {
    body.i64(imm);
    popHalves(guest, rd, q);
    return;
  }
  for (const index of q ? [0, 1] : [0]) {
    body.get(local.state);
    pushLane(guest, { register: rd, size: 3, index });
    body.i64(operation === 'orr' ? imm : ~imm);
    body.op(operation === 'orr' ? wasmOp.i64Or : wasmOp.i64And);
    body.memory(wasmOp.i64Store, place(rd, 3, index));
  }
  if (!q) clearUpper(guest, rd);
}

function emitDuplicate(
  guest: GuestFunction,
  instruction: Of<'vector-duplicate' | 'vector-duplicate-general'>,
): void {
  const { body } = guest;
  const { size, lanes, rd, rn } = instruction;
  if (instruction.kind === 'vector-duplicate') {
    pushLane(guest, { register: rn, size, index: instruction.index });
  } else {
    pushRegister(guest, rn, true);
    if (size < 3) {
      body.i64((1n << BigInt(8 << size)) - 1n);
      body.op(wasmOp.i64And);
    }
  }
  // A scalar has the one lane and zeros.
  if (lanes > 1 && size < 3) {
    body.i64(spread[size] ?? 1n);
    body.op(wasmOp.i64Mul);
  }
  popHalves(guest, rd, lanes << size === 16);
}

function emitInsert(
  guest: GuestFunction,
  instruction: Of<'vector-insert-general' | 'vector-insert'>,
): void {
  const { body } = guest;
  const { size, rd, rn } = instruction;
  const general = instruction.kind === 'vector-insert-general';
  body.get(local.state);
  if (general) pushRegister(guest, rn, true);
  else pushLane(guest, { register: rn, size, index: instruction.from });
  const index = general ? instruction.index : instruction.to;
  body.memory(stores[size] ?? wasmOp.i64Store, place(rd, size, index));
}
