import { concatBytes } from './concat-bytes.ts';

/**
 * Writing DER (X.690), as far as certificates and signed messages need it. Only an encoder: what
 * others send is read by the platform's own parser.
 */
export const der: {
  sequence(...items: readonly Uint8Array[]): Uint8Array;
  set(...items: readonly Uint8Array[]): Uint8Array;
  /** A SET OF: its elements in the order of their bytes (X.690 §11.6). */
  setOf(...items: readonly Uint8Array[]): Uint8Array;
  /** A non-negative integer, most significant byte first. */
  integer(bytes: Uint8Array): Uint8Array;
  boolean(value: boolean): Uint8Array;
  null(): Uint8Array;
  oid(dotted: string): Uint8Array;
  utf8(text: string): Uint8Array;
  octets(bytes: Uint8Array): Uint8Array;
  bits(bytes: Uint8Array, unusedBits?: number): Uint8Array;
  time(ms: number): Uint8Array;
  /** A context-specific tag: around constructed content, or in place of a primitive's own tag. */
  context(number: number, content: Uint8Array, form: 'constructed' | 'primitive'): Uint8Array;
} = {
  sequence: (...items) => element(0x30, concatBytes(items)),
  set: (...items) => element(0x31, concatBytes(items)),
  setOf: (...items) => element(0x31, concatBytes(items.toSorted(compareBytes))),
  integer(bytes) {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
    const body = bytes.subarray(start);
    // A leading bit of 1 would read as negative.
    const padded = (body[0] ?? 0) >= 0x80 ? concatBytes([Uint8Array.of(0), body]) : body;
    return element(0x02, padded);
  },
  boolean: (value) => element(0x01, Uint8Array.of(value ? 0xff : 0)),
  null: () => element(0x05, new Uint8Array()),
  oid(dotted) {
    const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
    return element(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
  },
  utf8: (text) => element(0x0c, new TextEncoder().encode(text)),
  octets: (bytes) => element(0x04, bytes),
  bits: (bytes, unusedBits = 0) => element(0x03, concatBytes([Uint8Array.of(unusedBits), bytes])),
  time(ms) {
    const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
    const encoder = new TextEncoder();
    // RFC 5280 §4.1.2.5: through 2049 as UTCTime, then as GeneralizedTime.
    return Number(digits.slice(0, 4)) < 2050
      ? element(0x17, encoder.encode(digits.slice(2)))
      : element(0x18, encoder.encode(digits));
  },
  context: (number, content, form) =>
    element((form === 'constructed' ? 0xa0 : 0x80) | number, content),
};

function element(tag: number, content: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(tag, ...length(content.length)), content]);
}

function length(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return [0x80 | digits.length, ...digits];
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest % 128) | 0x80);
  }
  return digits;
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
