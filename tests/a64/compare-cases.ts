import type { CaseRecord } from './case-record.ts';

/** What differs in two results of one case, as text; empty where nothing does. */
export function compareCases(ours: CaseRecord, theirs: CaseRecord): readonly string[] {
  if (sameBytes(ours, theirs)) return [];
  const differences: string[] = [];
  const compare = (name: string, mine: number | bigint, other: number | bigint): void => {
    if (mine !== other) differences.push(`${name}: ${show(mine)}, not ${show(other)}`);
  };
  const lists = (
    name: (index: number) => string,
    mine: ArrayLike<number | bigint>,
    other: ArrayLike<number | bigint>,
  ): void => {
    for (let index = 0; index < other.length; index++) {
      compare(name(index), mine[index] ?? 0, other[index] ?? 0);
    }
  };
  const [signal = 0n, address = 0n, pc = 0n] = theirs.ending;
  const [ourSignal = 0n, ourAddress = 0n, ourPc = 0n] = ours.ending;
  compare('signal', ourSignal, signal);
  compare('pc', ourPc, pc);
  // 0 stands for an address that qemu could not say.
  if (address !== 0n) compare('address', ourAddress, address);
  compare('nzcv', (ours.flags[0] ?? 0n) >> 28n, (theirs.flags[0] ?? 0n) >> 28n);
  lists((index) => (index === 0 ? 'fpsr' : 'fpcr'), ours.floating, theirs.floating);
  lists((index) => (index === 31 ? 'sp' : `x${index}`), ours.general, theirs.general);
  lists((index) => `v${index >> 1}.d[${index & 1}]`, ours.vectors, theirs.vectors);
  lists((index) => `memory[${index * 4}]`, ours.window, theirs.window);
  return differences;
}

function sameBytes(ours: CaseRecord, theirs: CaseRecord): boolean {
  return Buffer.compare(ours.bytes, theirs.bytes) === 0;
}

function show(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
