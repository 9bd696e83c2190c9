import { concatBytes } from '@tapline/base';
import { tarError } from './tar-error.ts';
import { parseTarNumber } from './tar-number.ts';

/** The fields of a header block as they stand, before extended headers. */
export interface TarHeader {
  /** `0`, `5`, `x`, …; `\0` is a file of the oldest format. */
  readonly type: string;
  /** Not decoded: where an extended header has the name, this may be cut within a character. */
  readonly path: Uint8Array;
  readonly linkTarget: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly device: { readonly major: number; readonly minor: number };
}

export const tarBlockSize = 512;
export const checksumField = { offset: 148, length: 8 } as const;

/**
 * Reads a header block: ustar, GNU or version 7. Undefined for a block of zeros. Throws `tar_corrupt`
 * for a wrong checksum or number.
 */
export function readTarHeader(block: Uint8Array, offset: number): TarHeader | undefined {
  const sums = checksums(block);
  if (sums.unsigned === spaceSum && block[checksumField.offset] === 0) return undefined;
  const expected = readNumber(block, { ...checksumField, name: 'checksum' }, offset);
  // Some old implementations summed signed characters.
  if (expected !== sums.unsigned && expected !== sums.signed) {
    throw tarError('tar_corrupt', `checksum is ${expected}, not ${sums.unsigned}`, offset);
  }
  const isUstar = String.fromCharCode(...block.subarray(257, 263)) === 'ustar\0';
  const name = untilNul(block.subarray(0, 100));
  // GNU's own format has times where ustar has the prefix.
  const prefix = isUstar ? untilNul(block.subarray(345, 500)) : new Uint8Array();
  const number = (start: number, length: number, field: string): number =>
    readNumber(block, { offset: start, length, name: field }, offset);
  const type = String.fromCharCode(block[156] ?? 0);
  // Other types may have anything there.
  const isDevice = type === '3' || type === '4';
  return {
    type,
    path: prefix.length === 0 ? name : concatBytes([prefix, Uint8Array.of(0x2f), name]),
    linkTarget: untilNul(block.subarray(157, 257)),
    mode: number(100, 8, 'mode') & 0o7777,
    uid: number(108, 8, 'uid'),
    gid: number(116, 8, 'gid'),
    size: number(124, 12, 'size'),
    mtimeSeconds: number(136, 12, 'mtime'),
    device: isDevice
      ? { major: number(329, 8, 'device major'), minor: number(337, 8, 'device minor') }
      : { major: 0, minor: 0 },
  };
}

/** The sum of an all-zero block: its checksum field counts as spaces. */
const spaceSum = 0x20 * checksumField.length;

function checksums(block: Uint8Array): { readonly unsigned: number; readonly signed: number } {
  let unsigned = spaceSum;
  let high = 0;
  for (let index = 0; index < tarBlockSize; index += 1) {
    if (index === checksumField.offset) index += checksumField.length;
    const byte = block[index] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  return { unsigned, signed: unsigned - high * 256 };
}

interface FieldPlace {
  readonly offset: number;
  readonly length: number;
  readonly name: string;
}

function readNumber(block: Uint8Array, place: FieldPlace, offset: number): number {
  const value = parseTarNumber(block.subarray(place.offset, place.offset + place.length));
  if (value === undefined) throw tarError('tar_corrupt', `${place.name} is no number`, offset);
  return value;
}

export function untilNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return nul < 0 ? bytes : bytes.subarray(0, nul);
}
