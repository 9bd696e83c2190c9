import { collectBytes, TaplineError } from '@tapline/base';
import type { HttpAnswer, SendHttp } from '@tapline/client';
import {
  type Descriptor,
  type Digest,
  maxManifestBytes,
  mediaTypes,
  parseDigest,
  parseManifest,
} from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import { hexDigestOf } from './sha256.ts';

/** A page holds a blob in memory until it is verified. */
export const maxPageBlobBytes: number = 256 * 1024 * 1024;

/** The registry through the tunnel, as far as a device reads it. Errors: those of the registry client. */
export type PageRegistry = Pick<RegistryClient, 'manifest' | 'blob' | 'referrers'>;

const accepted = [mediaTypes.ociManifest, mediaTypes.ociIndex].join(', ');

export function createPageRegistry(send: SendHttp): PageRegistry {
  async function get(
    path: string,
    options: { readonly accept?: string; readonly missing: string; readonly signal?: AbortSignal },
  ): Promise<HttpAnswer> {
    const { accept, missing, signal } = options;
    const headers = accept === undefined ? {} : { accept };
    const answer = await send({ method: 'GET', path: `/v2/${path}`, headers, signal });
    if (answer.status === 200) return answer;
    answer.cancel();
    const code = answer.status === 404 ? missing : codeOf(answer.status);
    throw new TaplineError(code, `the registry answered ${answer.status} for ${path}`);
  }

  async function manifest(
    repository: string,
    reference: string,
    options: { readonly signal?: AbortSignal } = {},
  ): ReturnType<RegistryClient['manifest']> {
    const path = `${repository}/manifests/${reference}`;
    const answer = await get(path, { accept: accepted, missing: 'manifest_unknown', ...options });
    const isDigest = reference.startsWith('sha256:');
    const bytes = isDigest
      ? await verified(answer, { digest: parseDigest(reference), maxBytes: maxManifestBytes })
      : await collectBytes(answer.body, {
          maxBytes: maxManifestBytes,
          tooLarge: () => new TaplineError('digest_mismatch', `${path} is too long`),
        });
    const mediaType = answer.headers['content-type'] ?? mediaTypes.ociManifest;
    const digest = isDigest
      ? parseDigest(reference)
      : parseDigest(`sha256:${await hexDigestOf(bytes as Uint8Array<ArrayBuffer>)}`);
    return { digest, mediaType, bytes, manifest: parseManifest(bytes) };
  }

  return {
    manifest,
    async *blob(repository, { digest, size }, options = {}) {
      if (size > maxPageBlobBytes) {
        throw new TaplineError(
          'image_invalid',
          `blob ${digest} of ${size} bytes exceeds ${maxPageBlobBytes}, the most that a page takes`,
        );
      }
      const path = `${repository}/blobs/${digest}`;
      const answer = await get(path, { missing: 'blob_unknown', ...options });
      yield await verified(answer, { digest, maxBytes: size });
    },
    async referrers(repository, digest, { artifactType, ...options } = {}) {
      const query =
        artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType }).toString()}`;
      const path = `${repository}/referrers/${digest}${query}`;
      const answer = await get(path, { missing: 'manifest_unknown', ...options });
      const bytes = await collectBytes(answer.body, {
        maxBytes: maxManifestBytes,
        tooLarge: () => new TaplineError('registry_error', `${path} is too long`),
      });
      const index = parseManifest(bytes);
      const found: readonly Descriptor[] = index.kind === 'index' ? index.index.manifests : [];
      return found.filter(
        (each) => artifactType === undefined || each.artifactType === artifactType,
      );
    },
  };
}

function codeOf(status: number): string {
  if (status === 401) return 'registry_unauthorized';
  return status === 403 ? 'registry_denied' : 'registry_error';
}

async function verified(
  answer: HttpAnswer,
  about: { readonly digest: Digest; readonly maxBytes: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { digest, maxBytes } = about;
  const bytes = await collectBytes(answer.body, {
    maxBytes,
    tooLarge: () => mismatch(`${digest} is longer than its ${maxBytes} bytes`),
  });
  // Never shared memory: it was made a moment ago.
  const own = bytes as Uint8Array<ArrayBuffer>;
  const actual = `sha256:${await hexDigestOf(own)}`;
  if (actual === digest) return own;
  throw mismatch(`what came is ${actual}, not ${digest}`);
}

function mismatch(why: string): TaplineError {
  return new TaplineError('digest_mismatch', why);
}
