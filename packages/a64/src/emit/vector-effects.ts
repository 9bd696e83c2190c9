import type { FloatingInstruction } from '../floating-instruction.ts';
import type { VectorInstruction } from '../vector-instruction.ts';

/** Instructions that have vector registers only. */
export type VectorOnly =
  | Exclude<
      VectorInstruction,
      {
        readonly kind: 'vector-duplicate-general' | 'vector-to-general' | 'vector-insert-general';
      }
    >
  | Extract<
      FloatingInstruction,
      {
        readonly kind:
          | 'fp-one-source'
          | 'fp-convert-precision'
          | 'fp-round'
          | 'fp-two-source'
          | 'fp-three-source'
          | 'fp-immediate';
      }
    >;

/** Vector registers, by their numbers, that an instruction needs and changes. */
export function vectorEffects(instruction: VectorOnly): {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
} {
  const reads: number[] = keepsTarget(instruction) ? [instruction.rd] : [];
  if ('rn' in instruction) {
    const count = instruction.kind === 'vector-table' ? instruction.registers : 1;
    for (let at = 0; at < count; at++) reads.push((instruction.rn + at) & 31);
  }
  if ('rm' in instruction) reads.push(instruction.rm);
  if ('ra' in instruction) reads.push(instruction.ra);
  return { reads, writes: [instruction.rd] };
}

/** Whether the result depends on what was in its register. */
function keepsTarget(instruction: VectorOnly): boolean {
  switch (instruction.kind) {
    case 'fp-one-source':
    case 'fp-convert-precision':
    case 'fp-round':
    case 'fp-two-source':
    case 'fp-three-source':
    case 'fp-immediate':
    case 'vector-reverse':
    case 'vector-fp-one':
    case 'vector-fp-round':
    case 'vector-fp-to-integer':
    case 'vector-integer-to-fp':
    case 'vector-fp-long':
    case 'vector-across':
    case 'vector-fp-across':
    case 'scalar-pairwise':
    case 'vector-shift-long':
    case 'vector-shift-left-long':
    case 'vector-duplicate':
    case 'vector-permute':
    case 'vector-extract':
    case 'vector-wide':
    case 'vector-pairwise':
    case 'vector-fp-pairwise':
      return false;
    case 'vector-lanes':
      return /^(ml|saba|uaba)/.test(instruction.op);
    case 'vector-one':
      return instruction.op === 'suqadd' || instruction.op === 'usqadd';
    case 'vector-logical':
      return instruction.op.startsWith('b') && instruction.op !== 'bic';
    case 'vector-fp-lanes':
      return instruction.op === 'fmla' || instruction.op === 'fmls';
    case 'vector-shift':
      return /sra$|^s[lr]i$/.test(instruction.op);
    case 'vector-immediate':
      return instruction.operation !== 'replace';
    case 'vector-long':
      return /ml[as]l$|abal$/.test(instruction.op);
    case 'vector-narrow':
    case 'vector-narrow-high':
    case 'vector-shift-narrow':
    case 'vector-fp-narrow':
      return instruction.upper;
    default:
      return true;
  }
}
