import { deflateEnd } from '@tapline/oci';

/** RFC 1952 §2.3: no name, no time, and 255 for a system that nobody says. */
export const gzipHeader: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/** Ends the deflate stream and the member. */
export function gzipEnd(end: {
  readonly checksum: number;
  readonly unpackedBytes: number;
}): Uint8Array {
  const trailer = Buffer.alloc(deflateEnd.length + 8);
  trailer.set(deflateEnd);
  trailer.writeUInt32LE(end.checksum, deflateEnd.length);
  trailer.writeUInt32LE(end.unpackedBytes % 2 ** 32, deflateEnd.length + 4);
  return trailer;
}
