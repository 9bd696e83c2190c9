import type { ImageLayer, ImageState, ImageStore } from '@tapline/agent';
import { collectBytes, TaplineError } from '@tapline/base';
import { type ContainerConfig, type Digest, parseDigest, parseImageConfig } from '@tapline/oci';
import type { InstallImage } from '@tapline/resources';
import { fetchSignatures, type ImageSignature } from '@tapline/signatures';
import type { PageDatabase } from './page-database.ts';
import { maxPageBlobBytes, type PageRegistry } from './page-registry.ts';
import type { PageTrust } from './page-trust.ts';
import { storageManager } from './storage-manager.ts';

/** What it is unpacked by, too. */
interface KeptLayer extends ImageLayer {
  readonly mediaType: string;
}

/** The images of a page, which runs what is in their layers. */
export interface PageImageStore extends ImageStore {
  /** The layers of a root as they travelled, base first; their bytes are the caller's. */
  layers(rootfs: string): Promise<readonly PageLayer[]>;
}

export interface PageLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface ImageRecord {
  readonly digest: Digest;
  readonly layers: readonly KeptLayer[];
  readonly config: ContainerConfig;
  readonly signatures: readonly ImageSignature[];
}

/** Where the browser does not tell: what the least of them grant an origin. */
const assumedFreeBytes = 1024 * 1024 * 1024;
const maxConfigBytes = 4 * 1024 * 1024;
/** Where a layer is for who lays images out in memory: `page:` and its digest, base first. */
const rootPrefix = 'page:';

/**
 * Images in the page's storage: layers as they travel, verified before they are kept. They are not
 * unpacked: whoever runs programs in a page reads layers, and the browser has no file system to lay
 * them out in. Errors as those of a device's own store.
 */
export function createPageImageStore(init: {
  readonly database: PageDatabase;
  readonly registry: PageRegistry;
  readonly trust: PageTrust;
}): PageImageStore {
  const { database, registry, trust } = init;
  const onTheirWay = new Set<Digest>();
  const reserved = new Map<Digest, number>();

  async function recordOf(image: InstallImage): Promise<ImageRecord | undefined> {
    return (await database.get('images', image.digest)) as ImageRecord | undefined;
  }

  async function known(image: InstallImage): Promise<ImageRecord> {
    const record = await recordOf(image);
    if (record !== undefined) return record;
    throw new TaplineError('image_unknown', `image ${image.digest} is not here`);
  }

  async function missingOf(record: ImageRecord): Promise<readonly ImageLayer[]> {
    const kept = new Set(await database.keys('blobs'));
    return record.layers.filter(({ digest }) => !kept.has(digest));
  }

  async function read(
    image: InstallImage,
    blob: ImageLayer,
    options: { readonly signal: AbortSignal; readonly maxBytes: number },
  ): Promise<Uint8Array> {
    return await collectBytes(registry.blob(image.repository, blob, options), {
      maxBytes: options.maxBytes,
      tooLarge: () =>
        new TaplineError('image_invalid', `blob ${blob.digest} exceeds ${options.maxBytes} bytes`),
    });
  }

  return {
    async inspect(image): Promise<ImageState> {
      onTheirWay.add(parseDigest(image.digest));
      const record = await recordOf(image);
      if (record === undefined) return { kind: 'unknown' };
      const missing = await missingOf(record);
      if (missing.length === 0) return { kind: 'ready' };
      return {
        kind: 'partial',
        missing,
        neededBytes: missing.reduce((sum, { size }) => sum + size, 0),
      };
    },
    async reserve(image, bytes) {
      const { free } = await available();
      const others = [...reserved.values()].reduce((sum, each) => sum + each, 0);
      if (bytes > free - others) {
        throw new TaplineError(
          'insufficient_storage',
          `${bytes} bytes are needed, ${free - others} are free`,
          {
            details: { neededBytes: bytes, availableBytes: Math.max(0, free - others) },
          },
        );
      }
      reserved.set(parseDigest(image.digest), bytes);
    },
    release(image) {
      const digest = parseDigest(image.digest);
      reserved.delete(digest);
      onTheirWay.delete(digest);
    },
    async fetchManifest(image, { signal }) {
      const digest = parseDigest(image.digest);
      const { manifest: parsed } = await registry.manifest(image.repository, digest, { signal });
      if (parsed.kind !== 'manifest') {
        throw new TaplineError('image_invalid', `${digest} is not the manifest of an image`);
      }
      const { repository } = image;
      const signatures = await fetchSignatures(registry, { repository, digest }, { signal });
      try {
        await trust.verify(digest, signatures);
      } catch {
        // The signer may be newer than what this page was told.
        await trust.refresh();
        await trust.verify(digest, signatures);
      }
      const { manifest } = parsed;
      const config = parseImageConfig(
        await read(image, manifest.config, { signal, maxBytes: maxConfigBytes }),
      );
      const record: ImageRecord = {
        digest,
        layers: manifest.layers.map(({ digest: of, size, mediaType }) => ({
          digest: of,
          size,
          mediaType,
        })),
        config: config.config ?? {},
        signatures,
      };
      await database.put('images', digest, record);
    },
    async fetchLayer(image, layer, { signal }) {
      const bytes = await read(image, layer, { signal, maxBytes: maxPageBlobBytes });
      await database.put('blobs', layer.digest, bytes);
      return bytes.length;
    },
    async layOut(image) {
      const missing = await missingOf(await known(image));
      if (missing.length === 0) return;
      throw new TaplineError(
        'image_unknown',
        `${missing.length} layers of ${image.digest} are not here`,
      );
    },
    async root(image) {
      const { digest, config, signatures } = await known(image);
      // Again: keys that are not trusted any more start nothing any more.
      await trust.verify(digest, signatures);
      return { rootfs: `${rootPrefix}${digest}`, config };
    },
    async layers(rootfs) {
      const record = (await database.get('images', rootfs.slice(rootPrefix.length))) as
        | ImageRecord
        | undefined;
      return await Promise.all(
        (record?.layers ?? []).map(async ({ digest, mediaType }) => {
          const bytes = await database.get('blobs', digest);
          if (bytes instanceof Uint8Array) {
            // What comes out of the storage is a copy of its own, and never shared memory.
            return { mediaType, bytes: bytes as Uint8Array<ArrayBuffer> };
          }
          throw new TaplineError('image_unknown', `layer ${digest} is not here`);
        }),
      );
    },
    async collect(keep) {
      const kept = new Set<string>([...keep, ...onTheirWay]);
      const records = (await database.all('images')) as readonly ImageRecord[];
      const layers = new Set<string>();
      for (const record of records) {
        if (kept.has(record.digest)) for (const { digest } of record.layers) layers.add(digest);
        else await database.delete('images', record.digest);
      }
      for (const digest of await database.keys('blobs')) {
        if (!layers.has(digest)) await database.delete('blobs', digest);
      }
    },
    // Each write has waited for the disk.
    sync: () => Promise.resolve(),
    async storage() {
      const { free, used } = await available();
      const reservedBytes = [...reserved.values()].reduce((sum, each) => sum + each, 0);
      return { freeBytes: Math.floor(free), usedBytes: Math.floor(used), reservedBytes };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function available(): Promise<{ readonly free: number; readonly used: number }> {
  const manager = storageManager();
  // Who cannot be asked says when there is no more: a write then fails with `insufficient_storage`.
  if (manager === undefined) return { free: assumedFreeBytes, used: 0 };
  const { quota = 0, usage = 0 } = await manager.estimate();
  return { free: Math.max(0, quota - usage), used: usage };
}
