import type { FloatingInstruction } from './floating-instruction.ts';
import type { IntegerInstruction } from './integer-instruction.ts';
import type { MemoryInstruction } from './memory-instruction.ts';
import type { VectorInstruction } from './vector-instruction.ts';

/** The form between decoder, interpreter and emitter: one instruction, its fields made sense of. */
export type Instruction =
  | IntegerInstruction
  | MemoryInstruction
  | FloatingInstruction
  | VectorInstruction;
