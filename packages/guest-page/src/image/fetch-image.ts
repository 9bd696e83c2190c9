import { concatBytes, TaplineError } from '@tapline/base';
import {
  type ContainerConfig,
  type Descriptor,
  maxManifestBytes,
  mediaTypes,
  parseDigest,
  parseImageConfig,
  parseManifest,
  type ParsedManifest,
  selectPlatform,
} from '@tapline/oci';
import { decompressLayer } from './decompress-layer.ts';
import { verifyDigest } from './verify-digest.ts';

export interface ImageSource {
  /** Ends with a slash. */
  readonly registry: string;
  readonly repository: string;
  readonly reference: string;
}

export interface FetchedImage {
  /** Tar archives without compression, base first. */
  readonly layers: readonly Uint8Array[];
  readonly config: ContainerConfig;
}

const platform = { os: 'linux', architecture: 'arm64' };
const accepted = [
  mediaTypes.ociIndex,
  mediaTypes.dockerManifestList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
].join(', ');
const largestConfig = 4 * 1024 * 1024;

/** Fetches the arm64 image of a reference, by OCI distribution 1.1; all of it is verified. */
export async function fetchImage(
  source: ImageSource,
  onProgress: (fetched: number, of: number) => void = () => {},
): Promise<FetchedImage> {
  let manifest = await fetchManifest(source, source.reference);
  if (manifest.kind === 'index') {
    const digest = selectPlatform(manifest.index, platform)?.digest;
    if (digest === undefined) {
      const { repository, reference } = source;
      throw new TaplineError(
        'platform_unsupported',
        `${repository}:${reference} has no image for linux/arm64`,
      );
    }
    manifest = await fetchManifest(source, digest);
  }
  if (manifest.kind !== 'manifest') {
    throw new TaplineError('platform_unsupported', 'the image is an index of indexes');
  }
  const { layers, config } = manifest.manifest;
  const of = layers.reduce((sum, { size }) => sum + size, 0);
  let fetched = 0;
  const archives = layers.map(async (layer) => {
    const bytes = await fetchBlob(source, layer, (count) => onProgress((fetched += count), of));
    return await decompressLayer(bytes, layer.mediaType);
  });
  if (config.size > largestConfig) {
    throw new TaplineError(
      'manifest_invalid',
      `the image's configuration has ${config.size} bytes, more than ${largestConfig}`,
    );
  }
  const about = parseImageConfig(await fetchBlob(source, config));
  return { layers: await Promise.all(archives), config: about.config ?? {} };
}

async function fetchManifest(source: ImageSource, reference: string): Promise<ParsedManifest> {
  const url = `${source.registry}v2/${source.repository}/manifests/${reference}`;
  const response = await ask(url, { accept: accepted });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > maxManifestBytes) {
    throw new TaplineError(
      'manifest_invalid',
      `${url} has ${bytes.length} bytes, more than ${maxManifestBytes}`,
    );
  }
  if (reference.includes(':')) await verifyDigest(bytes, parseDigest(reference));
  return parseManifest(bytes);
}

async function fetchBlob(
  source: ImageSource,
  { digest, size }: Descriptor,
  onBytes: (count: number) => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const url = `${source.registry}v2/${source.repository}/blobs/${digest}`;
  const { body } = await ask(url, {});
  const reader = body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const part = await reader?.read();
    if (part?.value === undefined) break;
    length += part.value.length;
    if (length > size) {
      await reader?.cancel();
      throw new TaplineError('digest_mismatch', `${digest} has more than its ${size} bytes`);
    }
    parts.push(part.value);
    onBytes(part.value.length);
  }
  const bytes = concatBytes(parts);
  await verifyDigest(bytes, digest);
  return bytes;
}

async function ask(url: string, headers: Record<string, string>): Promise<Response> {
  const response = await fetch(url, { headers });
  if (response.ok) return response;
  throw new TaplineError('registry_error', `${url} answered ${response.status}`);
}
