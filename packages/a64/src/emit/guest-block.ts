import type { Instruction } from '../instruction.ts';
import type { Resources } from './resource.ts';

/** What a word does, and to what. */
export interface DecodedInstruction {
  readonly instruction: Instruction;
  readonly reads: Resources;
  readonly writes: Resources;
}

/** One instruction and where it is. */
export interface PlacedInstruction extends DecodedInstruction {
  readonly pc: number;
}

/** How a block ends. */
export type BlockEnd =
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'branch'; readonly taken: number; readonly next: number }
  /** A register says where to; `known` where that is mostly one of the function's own blocks. */
  | { readonly kind: 'indirect'; readonly known: boolean }
  /** Goes on where the last block with a known register said. */
  | { readonly kind: 'switch'; readonly targets: readonly number[] }
  /** What only the interpreter does: system calls, traps, what is no instruction. */
  | { readonly kind: 'interpret'; readonly pc: number };

/** Instructions that are always run one after the other, from the first one on. */
export interface GuestBlock {
  readonly pc: number;
  readonly instructions: readonly PlacedInstruction[];
  readonly end: BlockEnd;
}

/**
 * Where the block is, in place of an address, that all blocks with a known register go on at. With one
 * place to go through, tables of branches make loops that can be nested.
 */
export const switchPlace = -4;
