import { concatBytes } from '@tapline/base';

/** Records of a pax extended header, key → raw value (POSIX.1-2017, pax, "Extended Header"). */
export type PaxRecords = ReadonlyMap<string, Uint8Array>;

const newline = 0x0a;
const equals = 0x3d;
const space = 0x20;

/** Parses `<length> <key>=<value>\n` records. Undefined where they do not fill `bytes` exactly. */
export function parsePaxRecords(bytes: Uint8Array): PaxRecords | undefined {
  const records = new Map<string, Uint8Array>();
  let start = 0;
  while (start < bytes.length) {
    let at = start;
    let length = 0;
    for (; at < bytes.length && bytes[at] !== space; at += 1) {
      const digit = (bytes[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9 || at - start > 9) return undefined;
      length = length * 10 + digit;
    }
    const end = start + length;
    const separator = bytes.indexOf(equals, at);
    if (end > bytes.length || bytes[end - 1] !== newline) return undefined;
    if (separator <= at + 1 || separator >= end) return undefined;
    const key = decodeUtf8(bytes.subarray(at + 1, separator));
    if (key === undefined) return undefined;
    records.set(key, bytes.slice(separator + 1, end - 1));
    start = end;
  }
  return records;
}

/** The records in key order; the length of each counts its own digits. */
export function encodePaxRecords(records: PaxRecords): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  for (const [key, value] of [...records].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const tail = encoder.encode(` ${key}=`);
    const rest = tail.length + value.length + 1;
    let length = rest + String(rest).length;
    if (String(length).length > String(rest).length) length += 1;
    parts.push(encoder.encode(String(length)), tail, value, Uint8Array.of(newline));
  }
  return concatBytes(parts);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of `bytes`, or undefined where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
