import { concatBytes } from '@tapline/base';

const marker = new TextEncoder().encode('@@HOMEBREW_');

/**
 * `bytes` with each placeholder replaced, or `bytes` itself where there is none. Works on bytes: text
 * in other encodings than UTF-8 comes through as it was.
 */
export function relocateText(bytes: Uint8Array, values: ReadonlyMap<string, string>): Uint8Array {
  const parts: Uint8Array[] = [];
  let copied = 0;
  for (let at = indexOfMarker(bytes, 0); at >= 0; at = indexOfMarker(bytes, at + 1)) {
    const found = placeholderAt(bytes, at, values);
    if (found === undefined) continue;
    parts.push(bytes.subarray(copied, at), new TextEncoder().encode(found.value));
    copied = at + found.length;
  }
  if (copied === 0) return bytes;
  parts.push(bytes.subarray(copied));
  return concatBytes(parts);
}

function placeholderAt(
  bytes: Uint8Array,
  at: number,
  values: ReadonlyMap<string, string>,
): { readonly value: string; readonly length: number } | undefined {
  // The longest name is 22 bytes; all are ASCII.
  const text = String.fromCharCode(...bytes.subarray(at, at + 32));
  const length = text.indexOf('@@', marker.length) + 2;
  const value = values.get(text.slice(0, length));
  return value === undefined ? undefined : { value, length };
}

function indexOfMarker(bytes: Uint8Array, from: number): number {
  const [first = 0] = marker;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (marker.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
