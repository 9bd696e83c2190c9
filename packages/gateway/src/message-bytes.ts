import type { RawData } from 'ws';

/** The bytes of a WebSocket message, whichever way they came. */
export function messageBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
