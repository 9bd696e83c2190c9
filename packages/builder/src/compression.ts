import { mediaTypes } from '@tapline/oci';

/** How layers are compressed. */
export type Compression = 'gzip' | 'zstd';

export const layerMediaType: Readonly<Record<Compression, string>> = {
  gzip: mediaTypes.ociLayerTarGzip,
  zstd: mediaTypes.ociLayerTarZstd,
};

/**
 * What the bytes of a compressed layer depend on besides its content. Deflate is our own, so that it
 * is the same on every machine; zstd is Node's, and the same for one version of it.
 */
export const compressorId: Readonly<Record<Compression, string>> = {
  gzip: 'deflate-3',
  zstd: `zstd-3/${process.versions['zstd'] ?? 'unknown'}`,
};

/** Bytes of a tar that are compressed apart from the others; the last piece has what is left. */
export const pieceBytes: number = 1024 * 1024;
