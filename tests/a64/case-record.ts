/** A batch of cases, as oracle.s takes and returns them: one record after another. */
export interface Cases {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly count: number;
}

/**
 * One record: what a processor holds, up to four words of code, and how they ended. All are views, so
 * that writing to them changes the record.
 */
export interface CaseRecord {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** X0–X30 and SP. */
  readonly general: BigUint64Array<ArrayBuffer>;
  /** PSTATE, of which only N, Z, C, V (bits 31 to 28) are used. */
  readonly flags: BigUint64Array<ArrayBuffer>;
  /** FPSR and FPCR. */
  readonly floating: Uint32Array<ArrayBuffer>;
  /** The signal that Linux would send, the address of a fault, and the PC. */
  readonly ending: BigUint64Array<ArrayBuffer>;
  readonly code: Uint32Array<ArrayBuffer>;
  /** The lower and upper halves of V0–V31. */
  readonly vectors: BigUint64Array<ArrayBuffer>;
  /** Memory from `windowAddress` on, in words. */
  readonly window: Uint32Array<ArrayBuffer>;
}

export const signals = { undefined: 4, trap: 5, bus: 7, fault: 11 } as const;

export const recordSize = 1088;
export const batchSize = 512;
const codeStart = 0x280000;
export const windowPage = 0x300000;
export const windowAddress = 0x300800;
export const windowSize = 256;
export const codeWords = 4;
/** BRK #0. */
export const breakpoint = 0xd4200000;

/** Where the first instruction of the case with this number is. */
export function codeAddress(index: number): number {
  return codeStart + (index % batchSize) * 64 + 16;
}

export function emptyCases(count: number): Cases {
  return { bytes: new Uint8Array(count * recordSize), count };
}

/** The first of them, in place. */
export function firstCases({ bytes, count }: Cases, most: number): Cases {
  const some = Math.min(count, most);
  return { bytes: bytes.subarray(0, some * recordSize), count: some };
}

export function caseRecord({ bytes }: Cases, index: number): CaseRecord {
  const { buffer } = bytes;
  const start = bytes.byteOffset + index * recordSize;
  return {
    bytes: bytes.subarray(index * recordSize, (index + 1) * recordSize),
    general: new BigUint64Array(buffer, start, 32),
    flags: new BigUint64Array(buffer, start + 256, 1),
    floating: new Uint32Array(buffer, start + 264, 2),
    ending: new BigUint64Array(buffer, start + 272, 3),
    code: new Uint32Array(buffer, start + 304, codeWords),
    vectors: new BigUint64Array(buffer, start + 320, 64),
    window: new Uint32Array(buffer, start + 832, windowSize / 4),
  };
}
