/**
 * What a function keeps in locals of what the processor's state has: X0–X30 and SP by their numbers,
 * the flags, the fuel, and V0–V31. The zero register, 32, is none of them.
 */
export const resource = { flags: 33, fuel: 34, vector: 64 } as const;

/** A set of them, as bits of 32 each: big integers would make garbage at each instruction. */
export interface Resources {
  /** X0–X30 and SP. */
  readonly general: number;
  /** Flags and fuel, as 1 and 2. */
  readonly other: number;
  readonly vector: number;
}

export const noResources: Resources = { general: 0, other: 0, vector: 0 };

/** The number of V`register` among resources. */
export function vectorResource(register: number): number {
  return resource.vector + (register & 31);
}

export function resourcesOf(numbers: readonly number[]): Resources {
  let [general, other, vector] = [0, 0, 0];
  for (const each of numbers) {
    if (each >= resource.vector) vector |= 1 << (each - resource.vector);
    else if (each < 32) general |= 1 << each;
    else if (each >= resource.flags) other |= 1 << (each - resource.flags);
  }
  return { general, other, vector };
}

const alone = Array.from({ length: 96 }, (_, each) => resourcesOf([each]));

export function resourceBit(of: number): Resources {
  return alone[of] ?? noResources;
}

/** Whether a set has one; it never has the zero register. */
export function hasResource({ general, other, vector }: Resources, of: number): boolean {
  if (of < 32) return (general & (1 << of)) !== 0;
  if (of >= resource.vector) return (vector & (1 << (of - resource.vector))) !== 0;
  return of !== 32 && (other & (1 << (of - resource.flags))) !== 0;
}

/** The sets themselves where they have all of it: most unions add nothing. */
export function union(a: Resources, b: Resources): Resources {
  const general = a.general | b.general;
  const other = a.other | b.other;
  const vector = a.vector | b.vector;
  if (general === a.general && other === a.other && vector === a.vector) return a;
  if (general === b.general && other === b.other && vector === b.vector) return b;
  return { general, other, vector };
}

export function intersection(a: Resources, b: Resources): Resources {
  return { general: a.general & b.general, other: a.other & b.other, vector: a.vector & b.vector };
}

/** What of the first set is not in the second. */
export function difference(a: Resources, b: Resources): Resources {
  const general = a.general & ~b.general;
  const other = a.other & ~b.other;
  const vector = a.vector & ~b.vector;
  if (general === a.general && other === a.other && vector === a.vector) return a;
  return { general, other, vector };
}

export function sameResources(a: Resources, b: Resources): boolean {
  return a === b || (a.general === b.general && a.other === b.other && a.vector === b.vector);
}

export function listResources({ general, other, vector }: Resources): readonly number[] {
  const numbers: number[] = [];
  listBits(general, 0, numbers);
  listBits(other, resource.flags, numbers);
  listBits(vector, resource.vector, numbers);
  return numbers;
}

function listBits(bits: number, first: number, numbers: number[]): void {
  for (let rest = bits; rest !== 0; rest &= rest - 1) {
    numbers.push(first + 31 - Math.clz32(rest & -rest));
  }
}
