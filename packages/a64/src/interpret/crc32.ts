// Bits reflected, as the instructions have them: the polynomials of IEEE 802.3 and of Castagnoli.
const ieee = 0xedb88320;
const castagnoliPolynomial = 0x82f63b78;

/** Bytes of a table below: the second one is that of CRC-32C. */
export const checksumTable = 1024;

/** What a byte does to a checksum, by its low byte and that one: of CRC-32, then of CRC-32C. */
export function checksumTables(): Uint32Array {
  return Uint32Array.from({ length: 512 }, (_, at) => {
    const polynomial = at < 256 ? ieee : castagnoliPolynomial;
    return afterBits(at & 255, polynomial);
  });
}

function afterBits(checksum: number, polynomial: number): number {
  let crc = checksum;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? polynomial : 0);
  return crc;
}

/** The checksum after `bytes` more bytes, the low ones of `data` (Arm ARM, CRC32 and CRC32C). */
export function crc32(
  checksum: bigint,
  data: bigint,
  how: { readonly bytes: number; readonly castagnoli: boolean },
): bigint {
  const polynomial = how.castagnoli ? castagnoliPolynomial : ieee;
  let crc = Number(checksum & 0xffffffffn);
  for (let at = 0; at < how.bytes; at++) {
    crc = afterBits(crc ^ Number((data >> BigInt(at * 8)) & 0xffn), polynomial);
  }
  return BigInt(crc >>> 0);
}
