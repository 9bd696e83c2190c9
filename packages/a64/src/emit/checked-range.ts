/** Bytes from a register on that may be read or written, as has been checked on the way to here. */
export interface CheckedRange {
  readonly base: number;
  /** Offsets from what the register holds now. */
  readonly from: number;
  readonly end: number;
  /** Of `spanPermission`. */
  readonly permissions: number;
  /** The local that has the address of `from`, in 32 bits. */
  readonly address: number;
}
