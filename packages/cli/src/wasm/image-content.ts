import { isTaplineError } from '@tapline/base';
import type { Descriptor } from '@tapline/oci';
import type { FetchedManifest } from '@tapline/registry';
import type { ImageSource } from './open-image-source.ts';
import type { ServedContent, ShellContent } from './shell-content.ts';

/**
 * One image, by OCI distribution's paths below `v2/`: its manifests, and the blobs that
 * these name. The page has no credentials of the registry; this side has.
 */
export function imageContent(image: ImageSource, signal: AbortSignal): ShellContent {
  const { endpoint, repository, reference } = image;
  const manifests = new Set<string>([reference]);
  const blobs = new Map<string, Descriptor>();

  function allow({ manifest }: FetchedManifest): void {
    if (manifest.kind === 'index') {
      for (const { digest } of manifest.index.manifests) manifests.add(digest);
      return;
    }
    const { config, layers } = manifest.manifest;
    for (const blob of [config, ...layers]) blobs.set(blob.digest, blob);
  }

  async function get(path: string): Promise<ServedContent | undefined> {
    const prefix = `v2/${repository}/`;
    if (!path.startsWith(prefix)) return undefined;
    const [kind, name = ''] = path.slice(prefix.length).split('/');
    if (kind === 'manifests' && manifests.has(name)) {
      const fetched = await endpoint.manifest(repository, name, { signal });
      allow(fetched);
      return { type: fetched.mediaType, body: fetched.bytes, immutable: name.includes(':') };
    }
    const blob = kind === 'blobs' ? blobs.get(name) : undefined;
    if (blob === undefined) return undefined;
    const body = endpoint.blob(repository, blob, { signal });
    return { type: 'application/octet-stream', body, immutable: true };
  }
  return {
    async get(path) {
      try {
        return await get(path);
      } catch (error) {
        if (isTaplineError(error, 'manifest_unknown') || isTaplineError(error, 'blob_unknown')) {
          return undefined;
        }
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  };
}
