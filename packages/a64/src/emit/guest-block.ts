import type { Instruction } from '../instruction.ts';

/** One instruction and where it is. */
export interface PlacedInstruction {
  readonly pc: number;
  readonly instruction: Instruction;
}

/** How a block ends. */
export type BlockEnd =
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'branch'; readonly taken: number; readonly next: number }
  /** A register says where to. */
  | { readonly kind: 'indirect' }
  /** What only the interpreter does: system calls, traps, what is no instruction. */
  | { readonly kind: 'interpret'; readonly pc: number };

/** Instructions that are always run one after the other, from the first one on. */
export interface GuestBlock {
  readonly pc: number;
  readonly instructions: readonly PlacedInstruction[];
  readonly end: BlockEnd;
}
