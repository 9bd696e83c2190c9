import type { Instruction } from '@tapline/a64';

/** Where the Arm ARM allows several results (CONSTRAINED UNPREDICTABLE), and ours is not qemu's. */
export function isUnpredictable(instruction: Instruction): boolean {
  switch (instruction.kind) {
    case 'load-store-pair':
      // Which of two values one register gets.
      return instruction.load && instruction.rt === instruction.rt2;
    case 'load-store-exclusive':
      return instruction.load && instruction.pair && instruction.rt === instruction.rt2;
    default:
      return false;
  }
}
