/** Some bytes of a layer's tar. */
export interface TarPart {
  /** Valid until the next part is asked for. */
  readonly bytes: Uint8Array;
  /** Where the same bytes are in the unpacked bottle, if they come from there. */
  readonly source?: number;
}
