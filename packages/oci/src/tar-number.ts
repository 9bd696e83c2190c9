/**
 * A numeric field of a header: octal digits between spaces and NULs, or base-256 where the first bit
 * is set (GNU and star). Undefined for anything else and beyond 2^53.
 */
export function parseTarNumber(field: Uint8Array): number | undefined {
  const first = field[0] ?? 0;
  return first >= 0x80 ? parseBase256(field) : parseOctal(field);
}

function parseOctal(field: Uint8Array): number | undefined {
  let at = 0;
  while (field[at] === 0x20 || field[at] === 0) at += 1;
  let value = 0;
  for (; at < field.length; at += 1) {
    const digit = (field[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < field.length; at += 1) {
    if (field[at] !== 0x20 && field[at] !== 0) return undefined;
  }
  return value;
}

/** Two's complement, big-endian, in all bits but the first, which marks the format. */
function parseBase256(field: Uint8Array): number | undefined {
  const first = field[0] ?? 0;
  const negative = (first & 0x40) !== 0;
  const fill = negative ? 0xff : 0;
  let value = 0;
  for (let index = 0; index < field.length; index += 1) {
    // Bit 6 of the first byte is the sign and extends over the marker.
    const byte = index === 0 ? first | 0x80 : (field[index] ?? 0);
    value = value * 256 + ((index === 0 && !negative ? byte & 0x7f : byte) ^ fill);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return negative ? -1 - value : value;
}
