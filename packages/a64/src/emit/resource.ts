/**
 * What a function keeps in locals of what the processor's state has: X0–X30 and SP by their numbers,
 * the flags, the fuel, and V0–V31. The zero register, 32, is none of them.
 */
export const resource = { flags: 33, fuel: 34, vector: 64 } as const;

/** A set of them, as bits. */
export type Resources = bigint;

export const noResources: Resources = 0n;

/** The number of V`register` among resources. */
export function vectorResource(register: number): number {
  return resource.vector + (register & 31);
}

const bits = Array.from({ length: 96 }, (_, at) => (at === 32 ? 0n : 1n << BigInt(at)));

export function resourceBit(of: number): Resources {
  return bits[of] ?? 0n;
}

export function resourcesOf(numbers: Iterable<number>): Resources {
  let all = noResources;
  for (const each of numbers) all |= bits[each] ?? 0n;
  return all;
}

export function listResources(set: Resources): readonly number[] {
  const numbers: number[] = [];
  let rest = set;
  for (let at = 0; rest !== 0n; at += 32, rest >>= 32n) {
    for (let low = Number(rest & 0xffffffffn); low !== 0; low = (low & (low - 1)) >>> 0) {
      numbers.push(at + 31 - Math.clz32(low & -low));
    }
  }
  return numbers;
}
