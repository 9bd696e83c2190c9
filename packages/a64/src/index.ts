export { decode } from './decode/decode.ts';
export type { Instruction } from './instruction.ts';
