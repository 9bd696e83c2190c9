import { conditionHolds } from '../../interpret/condition-holds.ts';

/** How the function for cold code does a word; `slow` is left to the interpreter. */
export const coldKinds = [
  'slow',
  'address',
  'add-subtract-immediate',
  'logical-immediate',
  'move-wide',
  'bitfield',
  'extract',
  'shifted',
  'extended',
  'conditional-compare',
  'conditional-select',
  'two-source',
  'one-source',
  'three-source',
  'branch',
  'compare-branch',
  'test-branch',
  'conditional-branch',
  'register-branch',
  'system-call',
  'system',
  'literal',
  'unsigned-offset',
  'indexed',
  'register-offset',
  'pair',
  'ordered',
  'vector-immediate',
  'float-move',
] as const;

export type ColdKind = (typeof coldKinds)[number];

/** Bits 31 to 21 of a word, `x` for any. What they leave open is looked at when the word is run. */
const patterns: readonly (readonly [string, ColdKind])[] = [
  ['xxx10000xxx', 'address'],
  ['xxx100010xx', 'add-subtract-immediate'],
  ['xxx100100xx', 'logical-immediate'],
  ['xxx100101xx', 'move-wide'],
  ['xxx100110xx', 'bitfield'],
  ['x00100111x0', 'extract'],
  ['xxx01010xxx', 'shifted'],
  ['xxx01011xx0', 'shifted'],
  ['xxx01011001', 'extended'],
  ['xx111010010', 'conditional-compare'],
  ['xx011010100', 'conditional-select'],
  ['x0011010110', 'two-source'],
  ['x1011010110', 'one-source'],
  ['x0011011xxx', 'three-source'],
  ['x00101xxxxx', 'branch'],
  ['x011010xxxx', 'compare-branch'],
  ['x011011xxxx', 'test-branch'],
  ['01010100xxx', 'conditional-branch'],
  ['11010110000', 'register-branch'],
  ['11010110001', 'register-branch'],
  ['11010110010', 'register-branch'],
  ['11010100000', 'system-call'],
  ['1101010100x', 'system'],
  ['xx011x00xxx', 'literal'],
  ['xx111x01xxx', 'unsigned-offset'],
  ['xx111x00xx0', 'indexed'],
  ['xx111x00xx1', 'register-offset'],
  ['xx101x0xxxx', 'pair'],
  ['xx001000110', 'ordered'],
  ['xx001000100', 'ordered'],
  ['0xx01111000', 'vector-immediate'],
  ['x0011110xx1', 'float-move'],
];

const indexBits = 11;

/** The number of the kind of each word, by its top eleven bits. */
export function coldKindTable(): Uint8Array {
  const table = new Uint8Array(2 ** indexBits);
  for (const [pattern, kind] of patterns) {
    const mask = Number.parseInt(pattern.replaceAll(/[01]/g, '1').replaceAll('x', '0'), 2);
    const value = Number.parseInt(pattern.replaceAll('x', '0'), 2);
    const number = coldKinds.indexOf(kind);
    for (let top = 0; top < table.length; top++) if ((top & mask) === value) table[top] = number;
  }
  return table;
}

const conditions = 16;

/** For each condition of an instruction, which of the 16 values of N, Z, C, V it holds for, as bits. */
export function coldConditionTable(): Uint16Array {
  return Uint16Array.from({ length: conditions }, (_, condition) => {
    let holds = 0;
    for (let nzcv = 0; nzcv < 16; nzcv++) if (conditionHolds(condition, nzcv)) holds |= 1 << nzcv;
    return holds;
  });
}
