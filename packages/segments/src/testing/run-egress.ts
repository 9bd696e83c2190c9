import type { BpfInstruction } from '../state/node-state.ts';

/** Runs a filter as the kernel does, as far as ours need it: whether a frame with the mark leaves. */
export function runEgress(program: readonly BpfInstruction[], mark: number): boolean {
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 1) {
    const { code, jt, jf, k } = program[at] ?? { code: 0, jt: 0, jf: 0, k: 0 };
    if (code === 0x20 && k === 0xfffff014) accumulator = mark;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x06) return k === 0;
    else throw new Error(`instruction ${code} is not one of ours`);
  }
  throw new Error('the program does not end');
}
