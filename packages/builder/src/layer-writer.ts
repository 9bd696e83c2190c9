import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { deflateEnd, encodeFileIndex, parseDigest } from '@tapline/oci';
import type { BlobStore, StoredBlob } from '@tapline/registry';
import { type Compression, pieceBytes } from './compression.ts';
import type { CompressorPool } from './compressor-pool.ts';
import { LayerIndexer } from './layer-indexer.ts';
import type { LayerFacts } from './layer-record.ts';
import type { PieceBuffers, PieceMemory } from './piece-buffers.ts';

export interface LayerWriterOptions {
  readonly compression: Compression;
  readonly compressors: CompressorPool;
  readonly signal?: AbortSignal | undefined;
}

export type WrittenLayer = Pick<LayerFacts, 'digest' | 'diffId' | 'size' | 'fileIndex'>;

/**
 * Compresses a tar into the store as it comes, in pieces of {@link pieceBytes} that can be
 * decompressed apart from each other. How the tar was cut when it came makes no difference.
 */
export async function writeLayer(
  store: BlobStore,
  tar: AsyncIterable<Uint8Array>,
  options: LayerWriterOptions,
): Promise<WrittenLayer> {
  const { compression, compressors, signal } = options;
  const diff = createHash('sha256');
  const indexer = new LayerIndexer();
  const pieces: number[] = [];
  let checksum = 0;
  let unpackedBytes = 0;
  await using writer = await store.openWriter();
  if (compression === 'gzip') await writer.write(gzipHeader);
  // Written in their order, while those behind them are compressed.
  const underWay: { readonly buffers: PieceBuffers; readonly size: Promise<number> }[] = [];
  async function writeNext(): Promise<void> {
    const next = underWay[0];
    if (next === undefined) return;
    const size = await next.size;
    underWay.shift();
    pieces.push(writer.size);
    await writer.write(next.buffers.output.subarray(0, size));
    compressors.memory.giveBack(next.buffers);
  }
  try {
    for await (const { buffers, length } of inPieces(tar, compressors.memory)) {
      signal?.throwIfAborted();
      const piece = buffers.input.subarray(0, length);
      diff.update(piece);
      indexer.push(piece);
      if (compression === 'gzip') checksum = crc32(piece, checksum);
      unpackedBytes += length;
      underWay.push({ buffers, size: compressors.compress({ compression, buffers, length }) });
      if (underWay.length >= compressors.width) await writeNext();
    }
    while (underWay.length > 0) await writeNext();
  } catch (error) {
    await Promise.allSettled(underWay.map(({ size }) => size));
    throw error;
  }
  const end = writer.size;
  if (compression === 'gzip') await writer.write(gzipEnd({ checksum, unpackedBytes }));
  const { digest, size } = await writer.commit();
  const paths = indexer.paths();
  const index = encodeFileIndex({ layer: digest, compression, pieceBytes, pieces, end, paths });
  const fileIndex = await writeGzipped(store, index, compressors);
  return { digest, size, diffId: parseDigest(`sha256:${diff.digest('hex')}`), fileIndex };
}

async function writeGzipped(
  store: BlobStore,
  bytes: Uint8Array,
  compressors: CompressorPool,
): Promise<StoredBlob> {
  await using writer = await store.openWriter();
  await writer.write(gzipHeader);
  const buffers = compressors.memory.take();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    buffers.input.set(piece);
    const size = await compressors.compress({ compression: 'gzip', buffers, length: piece.length });
    await writer.write(buffers.output.subarray(0, size));
  }
  compressors.memory.giveBack(buffers);
  await writer.write(gzipEnd({ checksum: crc32(bytes), unpackedBytes: bytes.length }));
  return await writer.commit();
}

/** RFC 1952 §2.3: no name, no time, and 255 for a system that nobody says. */
const gzipHeader = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

function gzipEnd(end: { readonly checksum: number; readonly unpackedBytes: number }): Uint8Array {
  const trailer = Buffer.alloc(deflateEnd.length + 8);
  trailer.set(deflateEnd);
  trailer.writeUInt32LE(end.checksum, deflateEnd.length);
  trailer.writeUInt32LE(end.unpackedBytes % 2 ** 32, deflateEnd.length + 4);
  return trailer;
}

/** The same bytes in pieces of one size, each in memory of its own. */
async function* inPieces(
  chunks: AsyncIterable<Uint8Array>,
  memory: PieceMemory,
): AsyncGenerator<{ readonly buffers: PieceBuffers; readonly length: number }, void> {
  let buffers = memory.take();
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + pieceBytes - length);
      buffers.input.set(part, length);
      length += part.length;
      at += part.length;
      if (length < pieceBytes) continue;
      yield { buffers, length };
      buffers = memory.take();
      length = 0;
    }
  }
  if (length > 0) yield { buffers, length };
  else memory.giveBack(buffers);
}
