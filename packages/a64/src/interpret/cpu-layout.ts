/** Where a processor's state is, in bytes from its start. Translated code uses the same places. */
export const cpuLayout = {
  /** X0–X30, SP, and the zero register, which stays zero. */
  general: 0,
  pc: 264,
  vector: 272,
  nzcv: 784,
  fpcr: 788,
  fpsr: 792,
  threadPointer: 800,
  /** Turns of loops and calls that translated code may still do. */
  fuel: 808,
  /** What the flags follow from: a `flagsKind`, and its two operands. */
  flagsKind: 812,
  flagsA: 816,
  flagsB: 824,
  /** What a load-exclusive has left: bytes and 16 for a pair (0 for nothing), address, values. */
  exclusive: 832,
  exclusiveAddress: 840,
  exclusiveValues: 848,
  size: 864,
} as const;
