import { collectBytes, TaplineError } from '@tapline/base';
import { mediaTypes, parseImageConfig } from '@tapline/oci';
import type { ImageEndpoint } from '../copy/image-endpoint.ts';

const maxConfigBytes = 4 * 1024 * 1024;

/** The annotations of an image and the labels of its configuration; of an index those of all in it. */
export async function imageLabels(
  source: Pick<ImageEndpoint, 'manifest' | 'blob'>,
  image: { readonly repository: string; readonly reference: string },
  options: { readonly signal?: AbortSignal },
): Promise<Readonly<Record<string, string>>> {
  const { repository } = image;
  const { manifest: parsed } = await source.manifest(repository, image.reference, options);
  if (parsed.kind === 'index') {
    const found: Record<string, string> = {};
    for (const { digest } of parsed.index.manifests) {
      Object.assign(found, await imageLabels(source, { repository, reference: digest }, options));
    }
    return { ...found, ...parsed.index.annotations };
  }
  const { config, annotations } = parsed.manifest;
  const isImage = [mediaTypes.ociConfig, mediaTypes.dockerConfig].some(
    (type) => type === config.mediaType,
  );
  if (!isImage || config.size > maxConfigBytes) return annotations ?? {};
  const bytes = await collectBytes(source.blob(repository, config, options), {
    maxBytes: maxConfigBytes,
    tooLarge: () =>
      new TaplineError('image_invalid', `configuration exceeds ${maxConfigBytes} bytes`),
  });
  return { ...parseImageConfig(bytes).config?.Labels, ...annotations };
}
