import { crc32 } from 'node:zlib';
import type { BlobStore, StoredBlob } from '@tapline/registry';
import { type Compression, pieceBytes } from './compression.ts';
import { gzipEnd, gzipHeader } from './gzip-member.ts';
import { LayerPieces } from './layer-pieces.ts';
import type { WrittenLayer } from './layer-record.ts';
import type { LayerThreads } from './layer-threads.ts';
import type { PieceBuffers, PieceMemory } from './piece-buffers.ts';

export interface LayerWriterOptions {
  readonly compression: Compression;
  readonly threads: LayerThreads;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compresses a tar into the store as it comes, in pieces of {@link pieceBytes} that can be
 * decompressed apart from each other. How the tar was cut when it came makes no difference.
 */
export async function writeLayer(
  store: BlobStore,
  tar: AsyncIterable<Uint8Array>,
  options: LayerWriterOptions,
): Promise<WrittenLayer> {
  const { compression, threads, signal } = options;
  const layer = new LayerPieces(compression);
  await using writer = await store.openWriter();
  await writer.write(layer.header);
  // Written in their order, while those behind them are compressed.
  const underWay: { readonly buffers: PieceBuffers; readonly size: Promise<number> }[] = [];
  async function writeNext(): Promise<void> {
    const next = underWay[0];
    if (next === undefined) return;
    const size = await next.size;
    underWay.shift();
    layer.startAt(writer.size);
    await writer.write(next.buffers.output.subarray(0, size));
    threads.memory.giveBack(next.buffers);
  }
  try {
    for await (const { buffers, length } of inPieces(tar, threads.memory)) {
      signal?.throwIfAborted();
      layer.take(buffers.input.subarray(0, length));
      underWay.push({ buffers, size: threads.compress({ compression, buffers, length }) });
      if (underWay.length >= threads.width) await writeNext();
    }
    while (underWay.length > 0) await writeNext();
  } catch (error) {
    await Promise.allSettled(underWay.map(({ size }) => size));
    throw error;
  }
  const end = writer.size;
  await writer.write(layer.trailer());
  const { digest, size } = await writer.commit();
  const fileIndex = await writeGzipped(store, layer.fileIndex(digest, end), threads);
  return { digest, size, diffId: layer.diffId(), fileIndex };
}

async function writeGzipped(
  store: BlobStore,
  bytes: Uint8Array,
  threads: LayerThreads,
): Promise<StoredBlob> {
  await using writer = await store.openWriter();
  await writer.write(gzipHeader);
  const buffers = threads.memory.take();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    buffers.input.set(piece);
    const size = await threads.compress({ compression: 'gzip', buffers, length: piece.length });
    await writer.write(buffers.output.subarray(0, size));
  }
  threads.memory.giveBack(buffers);
  await writer.write(gzipEnd({ checksum: crc32(bytes), unpackedBytes: bytes.length }));
  return await writer.commit();
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
