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
  /** Turns of loops that translated code may still take. */
  fuel: 808,
  /** Calls of translated code that are open. */
  depth: 812,
  size: 816,
} as const;
