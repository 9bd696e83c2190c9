/**
 * Where the machine's own data are, in a memory of which address n is the guest's address n. They are
 * part of what translated code is made for, so that an address costs no register.
 */
export const machineLayout = {
  /** The processor's state, as `cpuLayout` has it. */
  state: 0x1000,
  /** The branch cache: 16 bytes each, an address with its lowest bit set and a table index. */
  cache: 0x10000,
  cacheEntries: 16_384,
  /** A byte for each page of 4 GiB, as `LinearMemory` has it. */
  permissions: 0x100000,
  /** Below are the machine's own data, which no page of the guest is mapped over. */
  lowestGuestAddress: 0x200000,
} as const;
