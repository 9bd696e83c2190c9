import type { Instruction } from '../instruction.ts';

/** Whether what it computes depends on FPCR, or shows in FPSR. */
export function usesFloat({ kind }: Instruction): boolean {
  switch (kind) {
    case 'fp-one-source':
    case 'fp-two-source':
    case 'fp-three-source':
    case 'fp-convert-precision':
    case 'fp-round':
    case 'fp-compare':
    case 'fp-conditional-compare':
    case 'integer-to-fp':
    case 'fp-to-integer':
    case 'vector-fp-lanes':
    case 'vector-fp-one':
    case 'vector-fp-pairwise':
    case 'vector-fp-long':
    case 'vector-fp-narrow':
    case 'vector-integer-to-fp':
    case 'vector-fp-to-integer':
    case 'scalar-pairwise':
      return true;
    default:
      return false;
  }
}
