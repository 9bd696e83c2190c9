import { createGunzip, createZstdDecompress } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { Readable, Writable } from 'node:stream';
import { type Clock, isTaplineError, TaplineError } from '@tapline/base';
import {
  type Descriptor,
  formatPlatform,
  mediaTypes,
  parseImageConfig,
  parsePlatform,
  parseReference,
  type Platform,
  selectPlatform,
} from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import type { PackageImage } from '@tapline/resources';
import { statusError } from './package-failure.ts';
import type { BuiltPackage, PackageSource } from './package-source.ts';

type Client = Pick<RegistryClient, 'manifest' | 'blob'>;

const ownRegistry = 'registry';
const maxConfigBytes = 4 * 1024 * 1024;
const maxUnpackedBytes = 64 * 2 ** 30;

/**
 * Images that somebody pushed to the registry, as packages. Nothing is built: what a reference stands
 * for is looked up, and its layers are read through once, as no manifest says what they take unpacked.
 * Whether an image may run is for devices to say, by its signature.
 */
export function createImageSource(init: {
  readonly client: Client;
  readonly clock: Clock;
}): PackageSource {
  const { client, clock } = init;
  // Layers are shared by the versions of an image; each is read through once in the process's life.
  const sizes = new Map<string, number>();

  async function unpackedBytes(
    repository: string,
    layer: Descriptor,
    signal: AbortSignal,
  ): Promise<number> {
    const known = sizes.get(layer.digest);
    if (known !== undefined) return known;
    let bytes = 0;
    const count = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        done(
          bytes > maxUnpackedBytes
            ? new TaplineError(
                'image_too_large',
                `layer ${layer.digest} exceeds ${maxUnpackedBytes} bytes unpacked`,
              )
            : null,
        );
      },
    });
    const compressed = Readable.from(client.blob(repository, layer, { signal }));
    const { mediaType } = layer;
    if (mediaType.endsWith('+zstd')) {
      await pipeline(compressed, createZstdDecompress(), count, { signal });
    } else if (/[.+]gzip$/.test(mediaType)) {
      await pipeline(compressed, createGunzip(), count, { signal });
    } else if (mediaType === mediaTypes.ociLayerTar) await pipeline(compressed, count, { signal });
    else {
      throw new TaplineError('image_invalid', `layer media type ${mediaType} is not supported`, {
        hint: 'push it as an OCI image with layers of tar, gzip or zstd',
      });
    }
    sizes.set(layer.digest, bytes);
    return bytes;
  }

  async function imageOf(
    repository: string,
    reference: string,
    wanted: {
      readonly platform: string;
      readonly isChosen?: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<PackageImage> {
    const { platform, isChosen = false, signal } = wanted;
    const { digest, manifest: parsed } = await client.manifest(repository, reference, { signal });
    if (parsed.kind === 'index') {
      if (isChosen) throw new TaplineError('image_invalid', `index ${digest} is within an index`);
      const chosen = selectPlatform(parsed.index, parsePlatform(platform));
      if (chosen === undefined) throw noImage(repository, platform, parsed.index.manifests);
      return await imageOf(repository, chosen.digest, { ...wanted, isChosen: true });
    }
    const { config, layers } = parsed.manifest;
    // An index has said it; of a manifest alone its configuration does.
    if (!isChosen) {
      const own = await platformOf(repository, config, signal);
      if (selectPlatform(indexOf(own), parsePlatform(platform)) === undefined) {
        throw noImage(repository, platform, [{ platform: own }]);
      }
    }
    let unpacked = 0;
    for (const layer of layers) unpacked += await unpackedBytes(repository, layer, signal);
    return {
      platform,
      digest,
      sizeBytes: layers.reduce((sum, { size }) => sum + size, 0),
      unpackedBytes: unpacked,
      layers: layers.length,
    };
  }

  async function platformOf(
    repository: string,
    config: Descriptor,
    signal: AbortSignal,
  ): Promise<Platform> {
    if (config.size > maxConfigBytes) {
      throw new TaplineError(
        'image_invalid',
        `configuration of ${config.size} bytes exceeds ${maxConfigBytes}`,
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of client.blob(repository, config, { signal })) chunks.push(chunk);
    const { os, architecture, variant } = parseImageConfig(Buffer.concat(chunks));
    return { os, architecture, ...(variant !== undefined && { variant }) };
  }

  return {
    async build({ image = '', platforms, signal, onStage }): Promise<BuiltPackage> {
      const startMs = clock.monotonic();
      // A name without a registry is in this one; Docker's own rules have no part in it.
      const named = parseReference(image, { defaultRegistry: ownRegistry });
      const { registry, repository, tag, digest } = named;
      if (registry !== ownRegistry) {
        throw new TaplineError(
          'reference_invalid',
          `image ${image} is in ${registry}, and devices fetch from the control plane's registry`,
          { hint: 'push it there, or have the registry mirror the other one' },
        );
      }
      const reference = digest ?? tag ?? 'latest';
      const top = await client.manifest(repository, reference, { signal });
      onStage?.('resolved');
      const resolvedMs = clock.monotonic();
      const images: PackageImage[] = [];
      const failures: BuiltPackage['failures'][number][] = [];
      let first: unknown;
      for (const platform of platforms) {
        try {
          images.push(await imageOf(repository, top.digest, { platform, signal }));
        } catch (error) {
          if (!isTaplineError(error, 'platform_unsupported')) throw error;
          first ??= error;
          failures.push({ platform, error: statusError(error) });
        }
      }
      if (images.length === 0) throw first;
      onStage?.('built');
      onStage?.('published');
      return {
        version: tag ?? top.digest.slice('sha256:'.length, 'sha256:'.length + 12),
        repository,
        digest: top.digest,
        images,
        failures,
        stages: {
          resolved: (resolvedMs - startMs) / 1000,
          built: (clock.monotonic() - resolvedMs) / 1000,
          published: 0,
        },
      };
    },
  };
}

function indexOf(platform: Platform): Parameters<typeof selectPlatform>[0] {
  const digest = `sha256:${'0'.repeat(64)}` as Descriptor['digest'];
  const manifest = { mediaType: mediaTypes.ociManifest, digest, size: 0, platform };
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [manifest] };
}

function noImage(
  repository: string,
  platform: string,
  has: readonly { readonly platform?: Platform | undefined }[],
): TaplineError {
  const offered = has.flatMap((one) => (one.platform === undefined ? [] : [one.platform]));
  return new TaplineError(
    'platform_unsupported',
    `image ${repository} is for ${offered.map(formatPlatform).join(', ') || 'no platform'}, not for ${platform}`,
    { hint: 'push it for that platform as well, or select other nodes' },
  );
}
