import { createHash } from 'node:crypto';
import { type Digest, mediaTypes, parseDigest } from '@tapline/oci';

export interface RawClient {
  readonly at: (path: string) => string;
  /** Answers the location. */
  readonly openUpload: (repository: string) => Promise<string>;
  readonly pushBlob: (repository: string, bytes: Uint8Array<ArrayBuffer>) => Promise<Response>;
  readonly pushManifest: (
    repository: string,
    reference: string,
    layers: readonly Uint8Array[],
    more?: Readonly<Record<string, unknown>>,
  ) => Promise<{ readonly status: number; readonly digest: Digest }>;
}

/** Requests as the specification has them, without a client's retries and checks. */
export function rawClient(url: string): RawClient {
  const at = (path: string): string => new URL(path, url).href;

  async function openUpload(repository: string): Promise<string> {
    const response = await fetch(at(`/v2/${repository}/blobs/uploads/`), { method: 'POST' });
    await response.arrayBuffer();
    if (response.status !== 202) throw new Error(`upload: ${response.status}`);
    return response.headers.get('location') ?? '';
  }

  async function pushBlob(repository: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
    const location = await openUpload(repository);
    const response = await fetch(at(`${location}?digest=${sha256Of(bytes)}`), {
      method: 'PUT',
      body: bytes,
    });
    return response;
  }

  async function pushManifest(
    repository: string,
    reference: string,
    layers: readonly Uint8Array[],
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly status: number; readonly digest: Digest }> {
    const [config = Buffer.from('{}'), ...rest] = layers;
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { ...described(config), mediaType: mediaTypes.ociConfig },
        layers: rest.map((layer) => ({
          ...described(layer),
          mediaType: mediaTypes.ociLayerTarGzip,
        })),
        ...more,
      }),
    );
    const response = await fetch(at(`/v2/${repository}/manifests/${reference}`), {
      method: 'PUT',
      body: bytes,
      headers: { 'content-type': mediaTypes.ociManifest },
    });
    await response.arrayBuffer();
    return { status: response.status, digest: sha256Of(bytes) };
  }

  return { at, openUpload, pushBlob, pushManifest };
}

export function sha256Of(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

function described(bytes: Uint8Array): { readonly digest: Digest; readonly size: number } {
  return { digest: sha256Of(bytes), size: bytes.length };
}
