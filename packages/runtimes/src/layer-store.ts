import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { isSystemError, type Log, TaplineError } from '@tapline/base';
import { type Digest, parseDigest, TarDecoder } from '@tapline/oci';
import { LayerExtractor } from './layer-extractor.ts';
import type { LayerIndex } from './layer-index.ts';
import { makeDirectory } from './make-directory.ts';

/** Compression of a layer as it travels. */
export type LayerCompression = 'none' | 'gzip' | 'zstd';

export interface LayerSource {
  /** The layer as it travels; called only where the store lacks it. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly compression: LayerCompression;
  /** Unpacked bytes beyond which the layer is refused: a bound on what compression can hide. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

interface LayerRecord {
  readonly boot: string;
  readonly bytes: number;
}

const runFile = promisify(execFile);
const chunkBytes = 256 * 1024;

/**
 * Unpacked layers by the digest of their tar archive: `layers/<hex>/files`, shared by all root file
 * systems and never changed. A layer is there as a whole or not at all: it is unpacked aside and
 * renamed. After a power failure the content of files may be missing although the rename is not, and
 * syncing each file would cost more than unpacking, so a layer counts as safe only after a sync of
 * its file system, in the background; those that were not when the power failed are dropped at
 * `open`, and fetched again.
 */
export class LayerStore implements AsyncDisposable {
  /** The folder that holds a folder for each layer. */
  readonly directory: string;
  readonly #partial: string;
  readonly #boot: string;
  readonly #log: Log;
  readonly #unpacking = new Map<Digest, Promise<void>>();
  #syncing: Promise<void> | undefined;
  readonly #unsynced = new Set<Digest>();

  private constructor(directory: string, options: { readonly boot: string; readonly log: Log }) {
    this.directory = join(directory, 'layers');
    this.#partial = join(directory, 'partial');
    this.#boot = options.boot;
    this.#log = options.log;
  }

  /** One process owns the folder. `boot` is another after each start of the machine. */
  static async open(
    directory: string,
    options: { readonly log: Log; readonly boot: string },
  ): Promise<LayerStore> {
    const store = new LayerStore(directory, options);
    await rm(store.#partial, { recursive: true, force: true });
    await mkdir(store.#partial, { recursive: true, mode: 0o711 });
    await mkdir(store.directory, { recursive: true, mode: 0o711 });
    for (const digest of await store.list()) await store.#dropUnsafe(digest);
    return store;
  }

  /** The folder of an unpacked layer's files. */
  pathOf(diffId: Digest): string {
    return join(this.#folder(diffId), 'files');
  }

  async has(diffId: Digest): Promise<boolean> {
    return (await this.#record(diffId)) !== undefined;
  }

  async list(): Promise<readonly Digest[]> {
    const names = await readdir(this.directory);
    return names.map((name) => parseDigest(`sha256:${name}`));
  }

  /** Throws `layer_unknown`. */
  async index(diffId: Digest): Promise<LayerIndex> {
    if (!(await this.has(diffId))) {
      throw new TaplineError('layer_unknown', `layer ${diffId} is not unpacked here`);
    }
    return JSON.parse(
      await readFile(join(this.#folder(diffId), 'index.json'), 'utf8'),
    ) as LayerIndex;
  }

  /** Bytes of the files of all layers. */
  async bytes(): Promise<number> {
    let total = 0;
    for (const digest of await this.list()) total += (await this.#record(digest))?.bytes ?? 0;
    return total;
  }

  /**
   * Unpacks a layer unless it is there; two calls for the same one do it once. Throws
   * `digest_mismatch`, `unsafe_tar_entry`, `layer_too_large`, the errors of {@link TarDecoder}, and
   * what `open` throws.
   */
  async unpack(diffId: Digest, source: LayerSource): Promise<void> {
    if (await this.has(diffId)) return;
    const running = this.#unpacking.get(diffId);
    if (running !== undefined) return await running;
    const work = this.#unpack(diffId, source).finally(() => this.#unpacking.delete(diffId));
    this.#unpacking.set(diffId, work);
    await work;
  }

  /** Deletes a layer; whoever calls knows that no root file system has it. */
  async delete(diffId: Digest): Promise<void> {
    // Out of sight in one step, so that a crash leaves no half of a layer.
    const aside = join(this.#partial, randomUUID());
    try {
      await rename(this.#folder(diffId), aside);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return;
      throw error;
    }
    await rm(aside, { recursive: true });
  }

  /** Resolves when every layer unpacked so far survives a power failure. */
  async sync(): Promise<void> {
    await this.#syncing;
    if (this.#unsynced.size > 0) await this.#startSync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#unpacking.values());
    await this.sync();
  }

  async #unpack(diffId: Digest, source: LayerSource): Promise<void> {
    const aside = join(this.#partial, randomUUID());
    const files = join(aside, 'files');
    try {
      await mkdir(aside, { mode: 0o711 });
      makeDirectory(files);
      const index = await extract(files, diffId, source);
      const record: LayerRecord = { boot: this.#boot, bytes: index.bytes };
      await writeFile(join(aside, 'index.json'), JSON.stringify(index));
      await writeFile(join(aside, 'layer.json'), JSON.stringify(record));
      await rename(aside, this.#folder(diffId));
    } catch (error) {
      await rm(aside, { recursive: true, force: true });
      throw error;
    }
    this.#unsynced.add(diffId);
    void this.#startSync();
  }

  #startSync(): Promise<void> {
    this.#syncing ??= this.#syncAll().finally(() => (this.#syncing = undefined));
    return this.#syncing;
  }

  async #syncAll(): Promise<void> {
    while (this.#unsynced.size > 0) {
      const batch = [...this.#unsynced];
      this.#unsynced.clear();
      try {
        await runFile('sync', ['-f', this.directory]);
        for (const diffId of batch) await this.#markSynced(diffId);
      } catch (error) {
        // They stay unmarked: after a power failure they are fetched again.
        this.#log.warn('layers cannot be synced', { layers: batch, error });
      }
    }
  }

  async #markSynced(diffId: Digest): Promise<void> {
    if (!(await this.has(diffId))) return;
    await using marker = await open(join(this.#folder(diffId), 'synced'), 'w');
    await marker.sync();
  }

  async #dropUnsafe(diffId: Digest): Promise<void> {
    const record = await this.#record(diffId);
    if (record?.boot === this.#boot) {
      if (!(await this.#isSynced(diffId))) this.#unsynced.add(diffId);
      return;
    }
    if (record !== undefined && (await this.#isSynced(diffId))) return;
    this.#log.warn('layer may have lost content to a power failure, dropped', { layer: diffId });
    await this.delete(diffId);
  }

  async #isSynced(diffId: Digest): Promise<boolean> {
    try {
      await stat(join(this.#folder(diffId), 'synced'));
      return true;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return false;
      throw error;
    }
  }

  async #record(diffId: Digest): Promise<LayerRecord | undefined> {
    try {
      const text = await readFile(join(this.#folder(diffId), 'layer.json'), 'utf8');
      // Empty after a power failure that came before the sync.
      return text === '' ? undefined : (JSON.parse(text) as LayerRecord);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #folder(diffId: Digest): string {
    return join(this.directory, diffId.slice(diffId.indexOf(':') + 1));
  }
}

/** Decompresses, verifies and writes a layer in one pass. */
async function extract(root: string, diffId: Digest, source: LayerSource): Promise<LayerIndex> {
  const { signal, maxBytes } = source;
  const hash = createHash('sha256');
  const decoder = new TarDecoder();
  const extractor = new LayerExtractor(root);
  let received = 0;
  try {
    for await (const chunk of decompress(source)) {
      signal?.throwIfAborted();
      received += chunk.length;
      if (received > maxBytes) {
        throw new TaplineError('layer_too_large', `layer ${diffId} exceeds ${maxBytes} bytes`, {
          details: { maxBytes },
        });
      }
      hash.update(chunk);
      for (const event of decoder.push(chunk)) extractor.take(event);
    }
    decoder.end();
  } finally {
    extractor.close();
  }
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== diffId) {
    throw new TaplineError('digest_mismatch', `layer unpacks to ${actual}, not ${diffId}`, {
      details: { expected: diffId, actual },
    });
  }
  return extractor.index();
}

async function* decompress(source: LayerSource): AsyncGenerator<Uint8Array, void> {
  const packed = source.open();
  if (source.compression === 'none') {
    yield* packed;
    return;
  }
  const unpacker =
    source.compression === 'gzip'
      ? createGunzip({ chunkSize: chunkBytes })
      : createZstdDecompress({ chunkSize: chunkBytes });
  const fed = pipeline(packed, unpacker);
  // Who reads the unpacker meets the same error there.
  fed.catch(() => {});
  yield* unpacker as AsyncIterable<Uint8Array>;
}
