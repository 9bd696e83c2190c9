import { createGzip, type Gzip } from 'node:zlib';

// Level 6 takes up to twice the time for a fiftieth less.
const level = 4;

/**
 * What the bytes of a compressed layer depend on besides its content. Node's zlib picks its hash
 * chains by processor, so equal settings give equal bytes on one version and architecture only.
 */
export const compressorId: string = `gzip-${level}/zlib-${process.versions.zlib}/${process.arch}`;

/** The compressor of all layers; its header has no name and no time. */
export function gzipPinned(): Gzip {
  return createGzip({ level, memLevel: 8, windowBits: 15, chunkSize: 128 * 1024 });
}
