/**
 * Where the machine's own data are, in a memory of which address n is the guest's address n. They are
 * part of what translated code is made for, so that an address costs no register.
 */
export const machineLayout = {
  /** The processor's state, as `cpuLayout` has it. */
  state: 0x1000,
  /**
   * The branch cache: 16 bytes each, an address with its lowest bit set and a table index. An address may
   * be in its entry or in the one beside it: functions begin at multiples of 16 mostly, so that most
   * entries would be no function's.
   */
  cache: 0x10000,
  cacheEntries: 16_384,
  /** For cold code, as numbers of 32 bits: what arrivals make a place hot, and whether to leave. */
  hotAfter: 0x2000,
  leave: 0x2004,
  /** The kind of each word by its top eleven bits, and the flags that conditions hold for. */
  kinds: 0x50000,
  conditions: 0x50800,
  /** Where each BR that was run lately went: address and target. */
  branches: 0x51000,
  branchEntries: 4096,
  /** How often places were come to: the address, and the number with `arrivalCalled` in it. */
  arrivals: 0x60000,
  arrivalEntries: 32_768,
  /** For CRC-32 and CRC-32C: what a byte does to a checksum. */
  checksums: 0xa0000,
  /** Words that have a function of their own, for cold code: the word and its index in the table. */
  words: 0xb0000,
  wordEntries: 2048,
  /** A byte for each page of 4 GiB, as `LinearMemory` has it. */
  permissions: 0x100000,
  /** Below are the machine's own data, which no page of the guest is mapped over. */
  lowestGuestAddress: 0x200000,
} as const;

/** In the number of arrivals at a place: it was called, or come to from outside. */
export const arrivalCalled = 0x80000000;

/**
 * Spreads words, which differ in their registers at the bottom and in what they do at the top: what to
 * multiply them with, and how far to shift.
 */
export const wordHash = { factor: 0x9e3779b1, shift: 21 } as const;

/** The entry of a word in `words`, as cold code finds it. */
export function wordEntry(word: number): number {
  return Math.imul(word, wordHash.factor) >>> wordHash.shift;
}
