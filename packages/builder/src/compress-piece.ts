import { constants, zstdCompressSync } from 'node:zlib';
import type { DeflateEncoder } from '@tapline/oci';
import type { Compression } from './compression.ts';

/**
 * A piece of a tar: deflate blocks without an end, or a whole zstd frame. Valid until the encoder is
 * used again.
 */
export function compressPiece(
  compression: Compression,
  piece: Uint8Array,
  { deflate }: { readonly deflate: DeflateEncoder },
): Uint8Array {
  switch (compression) {
    case 'gzip':
      return deflate.encode(piece);
    case 'zstd':
      return zstdCompressSync(piece, {
        pledgedSrcSize: piece.length,
        params: {
          [constants.ZSTD_c_compressionLevel]: 3,
          [constants.ZSTD_c_checksumFlag]: 1,
          [constants.ZSTD_c_contentSizeFlag]: 1,
        },
      });
  }
}
