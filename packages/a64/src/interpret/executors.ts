import type { Instruction } from '../instruction.ts';
import type { Cpu } from './cpu.ts';

/** One function for each kind of instruction; what is left out does not compile. */
export type Executors<Kinds extends Instruction> = {
  readonly [Kind in Kinds['kind']]: (
    instruction: Extract<Kinds, { readonly kind: Kind }>,
    cpu: Cpu,
  ) => void;
};
