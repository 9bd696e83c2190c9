import { headerBytes } from './frame.ts';

export interface FrameHeader {
  readonly type: number;
  readonly flags: number;
  /** Bytes of the body. */
  readonly length: number;
  readonly stream: number;
}

/** Writes a frame's header at `offset` and returns where its body begins. */
export function writeHeader(into: Uint8Array, offset: number, header: FrameHeader): number {
  const { type, flags, length, stream } = header;
  into[offset] = type;
  into[offset + 1] = flags;
  into[offset + 2] = length >>> 8;
  into[offset + 3] = length;
  writeUint32(into, offset + 4, stream);
  return offset + headerBytes;
}

export function writeUint32(into: Uint8Array, offset: number, value: number): void {
  into[offset] = value >>> 24;
  into[offset + 1] = value >>> 16;
  into[offset + 2] = value >>> 8;
  into[offset + 3] = value;
}

/** A whole number below 2^53. */
export function writeUint64(into: Uint8Array, offset: number, value: number): void {
  writeUint32(into, offset, Math.floor(value / 0x1_0000_0000));
  writeUint32(into, offset + 4, value % 0x1_0000_0000);
}
