import type { Instruction } from '../instruction.ts';
import {
  type BlockState,
  emitAddSubtract,
  emitBitfield,
  emitCarry,
  emitConditionalCompare,
  emitConditionalSelect,
  emitExtract,
  emitLogical,
  emitMoveWide,
} from './emit-integer.ts';
import { emitMemory } from './emit-memory.ts';
import {
  emitOneSource,
  emitThreeSource,
  emitTwoSource,
  isInlineProduct,
} from './emit-multiply-divide.ts';
import type { PlacedInstruction } from './guest-block.ts';
import { emitStep, type GuestFunction, popRegister } from './guest-function.ts';
import { registerEffects } from './register-effects.ts';

/** Writes an instruction that does not branch; what has no code of its own is interpreted. */
export function emitInstruction(
  guest: GuestFunction,
  { pc, instruction }: PlacedInstruction,
  state: BlockState,
): void {
  if (emitInline(guest, { pc, instruction }, state)) return;
  const effects = registerEffects(instruction);
  emitStep(guest, { pc, effects });
  if (effects.writesFlags) state.flags = { kind: 'ready' };
}

function emitInline(
  guest: GuestFunction,
  { pc, instruction }: PlacedInstruction,
  state: BlockState,
): boolean {
  switch (instruction.kind) {
    case 'add-sub-immediate':
    case 'add-sub-shifted':
    case 'add-sub-extended':
      emitAddSubtract(guest, instruction, state);
      return true;
    case 'add-sub-carry':
      if (instruction.setFlags) return false;
      emitCarry(guest, instruction, state);
      return true;
    case 'logical-immediate':
    case 'logical-shifted':
      emitLogical(guest, instruction, state);
      return true;
    case 'move-wide':
      emitMoveWide(guest, instruction);
      return true;
    case 'pc-relative':
      emitAddress(guest, instruction, pc);
      return true;
    case 'bitfield':
      emitBitfield(guest, instruction);
      return true;
    case 'extract':
      emitExtract(guest, instruction);
      return true;
    case 'conditional-compare':
      emitConditionalCompare(guest, instruction, state);
      return true;
    case 'conditional-select':
      emitConditionalSelect(guest, instruction, state);
      return true;
    case 'one-source':
      emitOneSource(guest, instruction);
      return true;
    case 'two-source':
      emitTwoSource(guest, instruction);
      return true;
    case 'three-source':
      if (!isInlineProduct(instruction)) return false;
      emitThreeSource(guest, instruction);
      return true;
    case 'load-store-immediate':
    case 'load-store-register':
    case 'load-literal':
    case 'load-store-pair':
    case 'load-store-ordered':
      emitMemory(guest, instruction, pc);
      return true;
    case 'nothing':
      return true;
    default:
      return false;
  }
}

function emitAddress(
  guest: GuestFunction,
  { op, rd, offset }: Extract<Instruction, { readonly kind: 'pc-relative' }>,
  pc: number,
): void {
  const base = op === 'adrp' ? pc - (pc % 4096) : pc;
  guest.body.i64(BigInt(base + offset));
  popRegister(guest, rd, true);
}
