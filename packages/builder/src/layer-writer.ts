import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseDigest } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import { gzipPinned } from './gzip-pinned.ts';
import type { LayerFacts } from './layer-record.ts';

/** Compressing a small chunk costs a trip to another thread; so they travel together. */
const batchBytes = 256 * 1024;

/** Compresses a tar into the store as it comes. */
export async function writeLayer(
  store: BlobStore,
  tar: AsyncIterable<Uint8Array>,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Pick<LayerFacts, 'digest' | 'diffId' | 'size'>> {
  const diff = createHash('sha256');
  await using writer = await store.openWriter();
  await pipeline(
    Readable.from(
      inBatches(tar, (batch) => diff.update(batch)),
      { objectMode: false },
    ),
    gzipPinned(),
    async (compressed: AsyncIterable<Uint8Array>) => {
      for await (const chunk of compressed) await writer.write(chunk);
    },
    options.signal === undefined ? {} : { signal: options.signal },
  );
  const { digest, size } = await writer.commit();
  return { digest, size, diffId: parseDigest(`sha256:${diff.digest('hex')}`) };
}

async function* inBatches(
  chunks: AsyncIterable<Uint8Array>,
  onBatch: (batch: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  function take(): Uint8Array {
    // A copy in any case: chunks are views of buffers that are written again.
    const batch = Buffer.concat(waiting, size);
    waiting = [];
    size = 0;
    onBatch(batch);
    return batch;
  }
  for await (const chunk of chunks) {
    waiting.push(chunk);
    size += chunk.length;
    if (size >= batchBytes) yield take();
  }
  if (size > 0) yield take();
}
