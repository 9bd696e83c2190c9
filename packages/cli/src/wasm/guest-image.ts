import { buffer } from 'node:stream/consumers';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { TaplineError } from '@tapline/base';
import { type ContainerConfig, mediaTypes, parseImageConfig, selectPlatform } from '@tapline/oci';
import { directoryLayer } from '@tapline/runtimes';
import { type LayerDirectory, tarLayers } from '@tapline/userland';
import type { Console } from '../framework/console.ts';
import { kindOfGuest, openImageSource } from './open-image-source.ts';

/** What a guest starts from: its files, and what its image says of its program. */
export interface GuestImage {
  readonly files: LayerDirectory;
  readonly config: ContainerConfig;
}

const platform = { os: 'linux', architecture: 'arm64' };
/** What a layer may become when it is decompressed. */
const largestLayer = 2 ** 31 - 1;

/** A folder of this machine, an image in one, or an image of a registry. */
export async function openGuestImage(
  text: string,
  options: {
    readonly console: Console;
    readonly flags: {
      readonly kubeconfig: string | undefined;
      readonly context: string | undefined;
    };
  },
): Promise<GuestImage> {
  if (kindOfGuest(text) === 'folder') {
    return { files: directoryLayer(text), config: {} };
  }
  await using image = await openImageSource(text, options);
  const { endpoint, repository } = image;
  const { signal } = options.console;
  const named = await endpoint.manifest(repository, image.reference, { signal });
  let { manifest } = named;
  if (manifest.kind === 'index') {
    const digest = selectPlatform(manifest.index, platform)?.digest;
    if (digest === undefined) {
      throw new TaplineError('platform_unsupported', `${text} has no image for linux/arm64`);
    }
    ({ manifest } = await endpoint.manifest(repository, digest, { signal }));
  }
  if (manifest.kind !== 'manifest') {
    throw new TaplineError('platform_unsupported', `${text} is an index of indexes`);
  }
  const { layers, config } = manifest.manifest;
  const archives: Uint8Array[] = [];
  for (const layer of layers) {
    const bytes = await buffer(endpoint.blob(repository, layer, { signal }));
    archives.push(decompress(bytes, layer.mediaType));
  }
  const about = parseImageConfig(await buffer(endpoint.blob(repository, config, { signal })));
  return { files: tarLayers(archives), config: about.config ?? {} };
}

function decompress(bytes: Uint8Array, mediaType: string): Uint8Array {
  // Pieces of Node's own size take a quarter longer to put together.
  const limit = { maxOutputLength: largestLayer, chunkSize: 1024 * 1024 };
  switch (mediaType) {
    case mediaTypes.ociLayerTar:
      return bytes;
    case mediaTypes.ociLayerTarGzip:
    case mediaTypes.dockerLayerTarGzip:
      return gunzipSync(bytes, limit);
    case mediaTypes.ociLayerTarZstd:
      return zstdDecompressSync(bytes, limit);
    default:
      throw new TaplineError('layer_invalid', `a layer of type ${mediaType} is not known`);
  }
}
