import { malformed } from './malformed.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A string table: its content, and where it lies in the file for errors. */
export interface StringTable {
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** The NUL-terminated UTF-8 string at `index` of `table`. */
export function readString(table: StringTable, index: number, what: string): string {
  const { bytes, offset } = table;
  const end = index < bytes.length ? bytes.indexOf(0, index) : -1;
  if (end < 0) {
    throw malformed(`${what} has no end within its table of ${bytes.length} bytes`, offset + index);
  }
  try {
    return strictUtf8.decode(bytes.subarray(index, end));
  } catch {
    throw malformed(`${what} is not UTF-8`, offset + index);
  }
}
