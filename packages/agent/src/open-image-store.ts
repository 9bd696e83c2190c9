import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, type Log, TaplineError } from '@tapline/base';
import {
  type ContainerConfig,
  type Descriptor,
  type Digest,
  mediaTypes,
  parseDigest,
  parseImageConfig,
} from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import type { InstallImage } from '@tapline/resources';
import {
  fetchSignatures,
  type ImageSignature,
  type TrustedKeys,
  trustedSignatures,
  verifyImage,
} from '@tapline/signatures';
import {
  DiskBudget,
  type DiskReservation,
  type LayerCompression,
  LayerStore,
  RootfsStore,
} from '@tapline/runtimes';
import type { ImageLayer, ImageState, ImageStore } from './image-store.ts';
import type { TrustKeeper } from './trust-keeper.ts';

export interface ImageStoreInit {
  readonly directory: string;
  /** The registry to fetch from, as it is at each call. */
  readonly registry: () => Pick<RegistryClient, 'manifest' | 'blob' | 'referrers'>;
  /** Whose signatures count; an image without one is not started. */
  readonly trust: TrustKeeper;
  /** Another after each start of the machine: what was not synced by then is fetched again. */
  readonly boot: string;
  readonly log: Log;
  /** Bytes to leave free on the disk whatever happens; 256 MiB unless given. */
  readonly floorBytes?: number;
  /** Bytes that images may use in all; no such bound unless given. */
  readonly quotaBytes?: number;
}

/** What the store keeps of an image's manifest and configuration. */
interface ImageRecord {
  readonly layers: readonly (ImageLayer & {
    readonly diffId: Digest;
    readonly compression: LayerCompression;
  })[];
  readonly config: ContainerConfig;
  /** Those that were trusted when it was fetched. */
  readonly signatures: readonly ImageSignature[];
}

const maxConfigBytes = 4 * 1024 * 1024;
const mebibyte = 1024 * 1024;

/**
 * Images over the runtimes' layer and root file system stores. A layer is unpacked as it arrives,
 * so that it never takes its room twice.
 */
export async function openImageStore(init: ImageStoreInit): Promise<ImageStore> {
  const { directory, registry, boot, log, trust, floorBytes = 256 * mebibyte, quotaBytes } = init;
  const recordFolder = join(directory, 'images');
  await mkdir(recordFolder, { recursive: true, mode: 0o711 });
  const layers = await LayerStore.open(directory, { boot, log });
  const roots = await RootfsStore.open(directory, { layers, log });
  const budget = new DiskBudget({
    path: directory,
    floorBytes,
    ...(quotaBytes === undefined
      ? {}
      : { quota: { bytes: quotaBytes, used: () => layers.bytes() } }),
  });
  const records = new Map<Digest, ImageRecord>();
  const reservations = new Map<Digest, DiskReservation>();
  const onTheirWay = new Set<Digest>();
  // Under which keys an image was found to be signed: checked once, not at each start.
  const verified = new Map<Digest, TrustedKeys>();
  let collecting: Promise<void> | undefined;

  async function recordOf(digest: Digest): Promise<ImageRecord | undefined> {
    const known = records.get(digest);
    if (known !== undefined) return known;
    let text: string;
    try {
      text = await readFile(recordPath(digest), 'utf8');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
    // Empty after a loss of power: as good as absent.
    if (text === '') return undefined;
    const record = JSON.parse(text) as ImageRecord;
    records.set(digest, record);
    return record;
  }

  async function knownRecord(image: InstallImage): Promise<ImageRecord> {
    const record = await recordOf(parseDigest(image.digest));
    if (record !== undefined) return record;
    throw new TaplineError('image_unknown', `image ${image.digest} is not here`);
  }

  /** Also of what is here already: keys that are not trusted any more start nothing any more. */
  function isSigned(digest: Digest, record: ImageRecord): boolean {
    const keys = trust.current;
    if (verified.get(digest) === keys) return true;
    // Records of agents that asked for no signature have none.
    if (trustedSignatures(digest, record.signatures ?? [], keys).length === 0) return false;
    verified.set(digest, keys);
    return true;
  }

  /** Throws `signature_missing`, `signature_invalid`, `signing_keys_unknown`. */
  async function fetchTrusted(
    image: InstallImage,
    signal: AbortSignal,
  ): Promise<readonly ImageSignature[]> {
    const digest = parseDigest(image.digest);
    const { repository } = image;
    const signatures = await fetchSignatures(registry(), { repository, digest }, { signal });
    try {
      return verifyImage(digest, signatures, trust.current);
    } catch (error) {
      // The signer may be newer than what this device was told.
      if (!(await trust.refresh())) throw error;
      return verifyImage(digest, signatures, trust.current);
    }
  }

  function recordPath(digest: Digest): string {
    return join(recordFolder, `${digest.slice(digest.indexOf(':') + 1)}.json`);
  }

  async function inspect(image: InstallImage): Promise<ImageState> {
    const digest = parseDigest(image.digest);
    // What is being deleted must not be taken for present.
    await collecting;
    onTheirWay.add(digest);
    const record = await recordOf(digest);
    if (record === undefined || !isSigned(digest, record)) return { kind: 'unknown' };
    if ((await roots.find(digest)) !== undefined) return { kind: 'ready' };
    const present = await Promise.all(record.layers.map(({ diffId }) => layers.has(diffId)));
    const missing = record.layers.filter((_layer, index) => present[index] !== true);
    const share = bytesOf(missing) / Math.max(bytesOf(record.layers), 1);
    return { kind: 'partial', missing, neededBytes: Math.ceil(image.unpackedBytes * share) };
  }

  async function fetchManifest(
    image: InstallImage,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const digest = parseDigest(image.digest);
    const { manifest: parsed } = await registry().manifest(image.repository, digest, { signal });
    const signatures = await fetchTrusted(image, signal);
    if (parsed.kind !== 'manifest') {
      throw new TaplineError('image_invalid', `${digest} is not the manifest of an image`);
    }
    const { manifest } = parsed;
    const config = parseImageConfig(await readConfig(image, manifest.config, signal));
    const diffIds = config.rootfs.diff_ids;
    if (diffIds.length !== manifest.layers.length) {
      throw new TaplineError(
        'image_invalid',
        `image ${digest} has ${manifest.layers.length} layers and ${diffIds.length} diff ids`,
      );
    }
    const record: ImageRecord = {
      layers: manifest.layers.map((layer, index) => ({
        digest: layer.digest,
        size: layer.size,
        diffId: diffIds[index] ?? layer.digest,
        compression: compressionOf(layer.mediaType),
      })),
      config: config.config ?? {},
      signatures,
    };
    const path = recordPath(digest);
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(record));
    await rename(draft, path);
    records.set(digest, record);
  }

  async function readConfig(
    image: InstallImage,
    config: Descriptor,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    if (config.size > maxConfigBytes) {
      throw new TaplineError(
        'image_invalid',
        `configuration of ${config.size} bytes exceeds ${maxConfigBytes}`,
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of registry().blob(image.repository, config, { signal })) {
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async function fetchLayer(
    image: InstallImage,
    wanted: ImageLayer,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<number> {
    const record = await knownRecord(image);
    const layer = record.layers.find(({ digest }) => digest === wanted.digest);
    if (layer === undefined) {
      throw new TaplineError(
        'image_invalid',
        `image ${image.digest} has no layer ${wanted.digest}`,
      );
    }
    let received = 0;
    async function* counted(): AsyncGenerator<Uint8Array, void> {
      for await (const chunk of registry().blob(image.repository, wanted, { signal })) {
        received += chunk.length;
        yield chunk;
      }
    }
    await layers.unpack(layer.diffId, {
      open: counted,
      compression: layer.compression,
      // The image's own word, with room for the archive's headers and padding.
      maxBytes: image.unpackedBytes * 2 + 16 * mebibyte,
      signal,
    });
    reservations
      .get(parseDigest(image.digest))
      ?.wrote(Math.ceil((image.unpackedBytes * layer.size) / Math.max(bytesOf(record.layers), 1)));
    return received;
  }

  async function collectNow(keep: ReadonlySet<Digest>): Promise<void> {
    const kept = new Set([...keep, ...onTheirWay]);
    const keptLayers = new Set<Digest>();
    for (const digest of kept) {
      for (const { diffId } of (await recordOf(digest))?.layers ?? []) keptLayers.add(diffId);
    }
    const dropped = await roots.collect(kept, keptLayers);
    for (const name of await readdir(recordFolder)) {
      const hex = /^([a-f0-9]{64})\.json$/.exec(name)?.[1];
      const digest = hex === undefined ? undefined : parseDigest(`sha256:${hex}`);
      if (digest !== undefined && kept.has(digest)) continue;
      if (digest !== undefined) {
        records.delete(digest);
        verified.delete(digest);
      }
      await rm(join(recordFolder, name), { force: true });
    }
    if (dropped.length > 0) log.info('unneeded layers deleted', { layers: dropped.length });
  }

  return {
    inspect,
    fetchManifest,
    fetchLayer,
    async reserve(image, bytes) {
      const digest = parseDigest(image.digest);
      if (!reservations.has(digest)) reservations.set(digest, await budget.reserve(bytes));
    },
    release(image) {
      const digest = parseDigest(image.digest);
      reservations.get(digest)?.[Symbol.dispose]();
      reservations.delete(digest);
      onTheirWay.delete(digest);
    },
    async layOut(image) {
      const record = await knownRecord(image);
      const diffIds = record.layers.map(({ diffId }) => diffId);
      await roots.prepare(parseDigest(image.digest), diffIds);
    },
    async root(image) {
      const record = await knownRecord(image);
      const { config } = record;
      if (!isSigned(parseDigest(image.digest), record)) {
        throw new TaplineError(
          'signature_invalid',
          `image ${image.digest} was signed by a key that is not trusted any more`,
        );
      }
      const root = await roots.find(parseDigest(image.digest));
      if (root === undefined) {
        throw new TaplineError('image_unknown', `image ${image.digest} is not laid out`);
      }
      return { rootfs: root.path, config };
    },
    async collect(keep) {
      await collecting;
      const work = collectNow(keep);
      collecting = work
        .catch(() => undefined)
        .finally(() => {
          collecting = undefined;
        });
      await work;
    },
    sync: () => layers.sync(),
    async storage() {
      return {
        freeBytes: Math.max(0, await budget.available()),
        reservedBytes: budget.reservedBytes,
        usedBytes: await layers.bytes(),
      };
    },
    [Symbol.asyncDispose]: () => layers[Symbol.asyncDispose](),
  };
}

function bytesOf(layers: readonly ImageLayer[]): number {
  return layers.reduce((total, { size }) => total + size, 0);
}

function compressionOf(mediaType: string): LayerCompression {
  if (mediaType.endsWith('+zstd')) return 'zstd';
  if (mediaType.endsWith('+gzip') || mediaType.endsWith('.gzip')) return 'gzip';
  if (mediaType === mediaTypes.ociLayerTar) return 'none';
  throw new TaplineError('image_invalid', `layer media type ${mediaType} is not supported`);
}
