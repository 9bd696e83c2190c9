import type { BpfInstruction } from '../state/node-state.ts';

/** Runs an ingress filter on a packet as the kernel does, as far as ours need it: whether it is let in. */
export function runGuard(
  program: readonly BpfInstruction[],
  packet: Buffer,
  type: number,
): boolean {
  let [accumulator, index] = [0, 0];
  const read = (at: number, size: 1 | 2 | 4): number | undefined =>
    at + size > packet.length ? undefined : packet.readUIntBE(at, size);
  for (let at = 0; at < program.length; at += 1) {
    const { code, jt, jf, k } = program[at] ?? { code: 0, jt: 0, jf: 0, k: 0 };
    const sizes = { 0x20: 4, 0x28: 2, 0x30: 1, 0x40: 4, 0x48: 2 } as const;
    const size = sizes[code as keyof typeof sizes];
    if (code === 0x28 && k === 0xfffff000) accumulator = type;
    else if (size !== undefined) {
      const value = read(code >= 0x40 ? index + k : k, size);
      // The kernel ends a program that reads beyond the packet, with 0: it passes.
      if (value === undefined) return true;
      accumulator = value;
    } else if (code === 0xb1) index = ((read(k, 1) ?? 0) & 0xf) * 4;
    else if (code === 0x1c) accumulator = (accumulator - index) >>> 0;
    else if (code === 0x74) accumulator >>>= k;
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x25) at += accumulator > k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else if (code === 0x45) at += (accumulator & k) === 0 ? jf : jt;
    else if (code === 0x06) return k === 0;
    else throw new Error(`instruction ${code} is not one of ours`);
  }
  throw new Error('the program does not end');
}
