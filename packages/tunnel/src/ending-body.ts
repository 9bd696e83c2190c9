import { concatBytes } from '@tapline/base';
import { readUint16 } from './read-number.ts';

const maxReasonBytes = 256;

/** The body of a Close and a Reset: the code u16, then a reason for people. */
export function encodeEnding(code: number, reason: string): Uint8Array {
  const text = new TextEncoder().encode(reason).subarray(0, maxReasonBytes);
  return concatBytes([Uint8Array.of(code >>> 8, code & 0xff), text]);
}

export function decodeEnding(body: Uint8Array): { readonly code: number; readonly reason: string } {
  const reason = new TextDecoder().decode(body.subarray(2, 2 + maxReasonBytes));
  return { code: readUint16(body, 0), reason };
}
