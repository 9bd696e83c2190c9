/** Bytes to write at an offset of the edited file. */
export interface ElfPatch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}
