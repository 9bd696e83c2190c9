const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openers = new Set([0x7b, 0x5b]);
const closers = new Set([0x7d, 0x5d]);

/**
 * Where the elements of a JSON array lie in its bytes, so that each can be parsed when it is wanted:
 * all formulae as objects take five times the room of their text. Undefined for what is no array; what
 * is between the offsets need not be valid.
 */
export function splitJsonArray(
  bytes: Uint8Array,
): readonly { readonly start: number; readonly end: number }[] | undefined {
  const elements: { readonly start: number; readonly end: number }[] = [];
  let depth = 0;
  let start = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (inString) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inString = false;
    } else if (byte === quote) {
      inString = true;
      if (depth === 0) return undefined;
    } else if (openers.has(byte)) {
      if (depth === 0) {
        if (byte !== 0x5b) return undefined;
        start = at + 1;
      }
      depth += 1;
    } else if (closers.has(byte)) {
      depth -= 1;
      if (depth > 0) continue;
      if (depth < 0) return undefined;
      if (!isBlank(bytes.subarray(start, at))) elements.push({ start, end: at });
      return isBlank(bytes.subarray(at + 1)) ? elements : undefined;
    } else if (byte === comma && depth === 1) {
      elements.push({ start, end: at });
      start = at + 1;
    }
  }
  return undefined;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
