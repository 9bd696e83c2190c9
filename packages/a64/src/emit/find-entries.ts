import { decode } from '../decode/decode.ts';
import type { ReadWord } from './find-blocks.ts';

/** BTI with a target kind, and PACIASP: what compilers begin functions with. */
const landing = new Set([0xd503245f, 0xd50324df, 0xd503249f, 0xd503233f]);

/**
 * Where functions of a range of code begin, as far as the code itself says so: what is called, what an
 * address is made of, landing pads, and what follows a system call. In order.
 */
export function findEntries(
  range: { readonly start: number; readonly end: number },
  readWord: ReadWord,
): readonly number[] {
  const { start, end } = range;
  const entries = new Set<number>();
  const pages = new Map<number, number>();
  const add = (pc: number): void => {
    if (pc >= start && pc < end && pc % 4 === 0) entries.add(pc);
  };
  for (let pc = start; pc < end; pc += 4) {
    const word = readWord(pc);
    if (word === undefined) continue;
    if (landing.has(word)) add(pc);
    const instruction = decode(word);
    switch (instruction?.kind) {
      case 'branch':
        if (instruction.link) add(pc + instruction.offset);
        break;
      case 'exception':
        if (instruction.op === 'svc') add(pc + 4);
        break;
      case 'pc-relative':
        if (instruction.op === 'adr') add(pc + instruction.offset);
        else pages.set(instruction.rd, pc - (pc % 4096) + instruction.offset);
        break;
      case 'add-sub-immediate': {
        const page = pages.get(instruction.rn);
        if (page !== undefined && instruction.op === 'add') add(page + instruction.imm);
        break;
      }
      default:
    }
  }
  return [...entries].toSorted((a, b) => a - b);
}
