import type { Instruction } from '../instruction.ts';
import { cpuLayout } from '../interpret/cpu-layout.ts';
import { emitCompare, emitConditionalFloat, emitFloat } from './emit-float.ts';
import { emitAtomic, emitCompareAndSwap, emitExclusive, emitZeroBlock } from './emit-atomic.ts';
import { emitAes, emitCrc32, emitShaThree, emitShaTwo } from './emit-cryptography.ts';
import { emitStructureLane, emitStructures } from './emit-structures.ts';
import { emitFloatLanes } from './emit-float-lanes.ts';
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
import { emitAcross, emitAddPairs } from './emit-lane-sums.ts';
import { emitLanes } from './emit-lanes.ts';
import { emitMemory } from './emit-memory.ts';
import { emitOneSource, emitThreeSource, emitTwoSource } from './emit-multiply-divide.ts';
import { emitSaturating } from './emit-saturating.ts';
import { emitVectorMove } from './emit-vector.ts';
import type { PlacedInstruction } from './guest-block.ts';
import { emitStep, type GuestFunction, popRegister } from './guest-function.ts';
import { machineLayout } from './machine-layout.ts';
import { registerEffects } from './register-effects.ts';
import { wasmOp } from './wasm.ts';

/** An instruction, what comes after it in its block (itself first), and what is known there. */
export interface InstructionContext {
  readonly placed: PlacedInstruction;
  readonly ahead: readonly PlacedInstruction[];
  readonly state: BlockState;
}

/** Writes an instruction that does not branch; what has no code of its own is interpreted. */
export function emitInstruction(guest: GuestFunction, context: InstructionContext): void {
  if (emitInline(guest, context)) return;
  const { state } = context;
  const { pc, instruction } = context.placed;
  const effects = registerEffects(instruction);
  emitStep(guest, { pc, effects });
  if (effects.writesFlags) state.flags = { kind: 'ready' };
}

/** Writes what has code of its own; false for the rest, of which nothing is written. */
export function emitInline(
  guest: GuestFunction,
  { placed, ahead, state }: InstructionContext,
): boolean {
  const { pc, instruction } = placed;
  switch (instruction.kind) {
    case 'add-sub-immediate':
    case 'add-sub-shifted':
    case 'add-sub-extended':
      emitAddSubtract(guest, instruction, state);
      return true;
    case 'add-sub-carry':
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
      emitThreeSource(guest, instruction);
      return true;
    case 'load-store-immediate':
    case 'load-store-register':
    case 'load-literal':
    case 'load-store-pair':
    case 'load-store-ordered':
      emitMemory(guest, instruction, { pc, ahead, state });
      return true;
    case 'load-store-structures':
      emitStructures(guest, instruction, { pc, ahead, state });
      return true;
    case 'load-store-lane':
      emitStructureLane(guest, instruction, { pc, ahead, state });
      return true;
    case 'load-store-exclusive':
      return emitExclusive(guest, instruction, { pc, ahead, state });
    case 'compare-and-swap':
      return emitCompareAndSwap(guest, instruction, { pc, ahead, state });
    case 'atomic':
      emitAtomic(guest, instruction, { pc, ahead, state });
      return true;
    case 'zero-block':
      emitZeroBlock(guest, instruction.rt, pc);
      return true;
    case 'fp-conditional-compare':
      emitConditionalFloat(guest, instruction, { pc, state });
      return true;
    case 'vector-lanes':
    case 'vector-shift':
    case 'vector-shift-narrow':
    case 'vector-narrow':
      return emitLanes(guest, instruction) || emitSaturating(guest, instruction);
    case 'vector-narrow-high':
      return emitSaturating(guest, instruction);
    case 'vector-one':
    case 'vector-shift-long':
    case 'vector-long':
    case 'vector-wide':
    case 'vector-pairwise':
    case 'vector-permute':
    case 'vector-extract':
    case 'vector-reverse':
    case 'vector-table':
      return emitLanes(guest, instruction);
    case 'aes':
      emitAes(guest, instruction);
      return true;
    case 'sha-three':
      emitShaThree(guest, instruction);
      return true;
    case 'sha-two':
      emitShaTwo(guest, instruction);
      return true;
    case 'crc32':
      emitCrc32(guest, instruction);
      return true;
    case 'vector-across':
      emitAcross(guest, instruction);
      return true;
    case 'vector-add-long-pairs':
      emitAddPairs(guest, instruction);
      return true;
    case 'fp-two-source':
    case 'fp-three-source':
    case 'fp-convert-precision':
    case 'fp-round':
    case 'integer-to-fp':
    case 'fp-to-integer':
      return emitFloat(guest, instruction, { pc, state });
    case 'fp-compare':
      emitCompare(guest, instruction, { pc, state });
      return true;
    case 'vector-fp-lanes':
    case 'vector-fp-one':
    case 'vector-fp-pairwise':
    case 'scalar-pairwise':
    case 'vector-fp-long':
    case 'vector-fp-narrow':
    case 'vector-integer-to-fp':
    case 'vector-fp-to-integer':
      return emitFloatLanes(guest, instruction, pc);
    case 'fp-one-source':
      if (instruction.op === 'fsqrt') return emitFloat(guest, instruction, { pc, state });
      return emitVectorMove(guest, instruction, state);
    case 'fp-immediate':
    case 'fp-move-general':
    case 'fp-conditional-select':
    case 'vector-logical':
    case 'vector-immediate':
    case 'vector-duplicate':
    case 'vector-duplicate-general':
    case 'vector-to-general':
    case 'vector-insert-general':
    case 'vector-insert':
      return emitVectorMove(guest, instruction, state);
    case 'system-register':
      return emitReadRegister(guest, instruction);
    case 'nothing':
      return true;
    default:
      return false;
  }
}

/** Those that are in the state as they are; what is written is checked by the interpreter. */
function emitReadRegister(
  guest: GuestFunction,
  { op, register, rt }: Extract<Instruction, { readonly kind: 'system-register' }>,
): boolean {
  if (op === 'msr') return false;
  const { body } = guest;
  const places: Partial<Record<typeof register, number>> = {
    tpidr_el0: cpuLayout.threadPointer,
    fpcr: cpuLayout.fpcr,
    fpsr: cpuLayout.fpsr,
  };
  const place = places[register];
  if (place === undefined) return false;
  body.i32(0);
  const load = register === 'tpidr_el0' ? wasmOp.i64Load : wasmOp.i64Load32U;
  body.memory(load, machineLayout.state + place);
  popRegister(guest, rt, true);
  return true;
}

function emitAddress(
  guest: GuestFunction,
  { op, rd, offset }: Extract<Instruction, { readonly kind: 'pc-relative' }>,
  pc: number,
): void {
  const base = op === 'adrp' ? pc - (pc % 4096) : pc;
  guest.body.i64(base + offset);
  popRegister(guest, rd, true);
}
