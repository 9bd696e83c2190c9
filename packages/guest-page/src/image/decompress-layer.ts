import { concatBytes, TaplineError } from '@tapline/base';
import { mediaTypes } from '@tapline/oci';
import { decompress } from 'fzstd';

/** What a layer may become. */
const largestLayer = 2 ** 31 - 1;

/** A layer as a tar archive; no browser has zstd yet. */
export async function decompressLayer(
  bytes: Uint8Array<ArrayBuffer>,
  mediaType: string,
): Promise<Uint8Array> {
  switch (mediaType) {
    case mediaTypes.ociLayerTar:
      return bytes;
    case mediaTypes.ociLayerTarGzip:
    case mediaTypes.dockerLayerTarGzip:
      return await gunzip(bytes);
    case mediaTypes.ociLayerTarZstd:
      return decompress(bytes);
    default:
      throw new TaplineError('layer_invalid', `a layer of type ${mediaType} is not known`);
  }
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const reader = new Blob([bytes])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
    .getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined) return concatBytes(parts);
    length += value.length;
    if (length > largestLayer) {
      await reader.cancel();
      throw new TaplineError('layer_invalid', `a layer becomes more than ${largestLayer} bytes`);
    }
    parts.push(value);
  }
}
