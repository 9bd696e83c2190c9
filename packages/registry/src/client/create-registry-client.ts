import {
  type Clock,
  isRecord,
  isTaplineError,
  type Rng,
  systemClock,
  systemRng,
  TaplineError,
} from '@tapline/base';
import { type Descriptor, type Digest, mediaTypes, parseDigest, parseManifest } from '@tapline/oci';
import { discardBody } from './discard-body.ts';
import { fetchBlobRange } from './fetch-blob-range.ts';
import { fetchBlob } from './fetch-blob.ts';
import {
  createHttpTransport,
  type HttpResponse,
  type HttpTransport,
  type TlsIdentity,
} from './http-transport.ts';
import { pushBlob } from './push-blob.ts';
import { readBody } from '../storage/read-body.ts';
import { RegistryAuthorizer } from './registry-authorizer.ts';
import { tagReferrer, taggedReferrers } from './referrers.ts';
import type { FetchedManifest, RegistryClient, RequestOptions } from './registry-client.ts';
import type { RegistryCredentialsSource } from './registry-credentials.ts';
import { type RegistryRequest, RegistryRequests } from './registry-requests.ts';
import { algorithmOf, digestWith } from '../storage/digest-algorithm.ts';

export interface RegistryClientInit {
  /** Scheme, host and port: `https://registry.example:5000`. */
  readonly baseUrl: string;
  /** The `Authorization` header, asked for before each request so that tokens can be renewed. */
  readonly authorization?: () => string | undefined | Promise<string | undefined>;
  /** For the challenges of the registry; without them it is asked for a token of nobody's. */
  readonly credentials?: RegistryCredentialsSource;
  readonly tls?: TlsIdentity;
  /** How requests travel; Node's HTTP client with `tls` unless given. */
  readonly transport?: HttpTransport;
  /** Tries of each request that is safe to repeat; 4 unless given. */
  readonly attempts?: number;
  readonly clock?: Clock;
  readonly rng?: Rng;
}

const maxManifestBytes = 4 * 1024 * 1024;
const maxListBytes = 16 * 1024 * 1024;
const pageSize = 1000;
const maxPages = 10_000;
const acceptManifests = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
].join(', ');

/** A client of the registry at `baseUrl`. */
export function createRegistryClient(init: RegistryClientInit): RegistryClient {
  const transport =
    init.transport ?? createHttpTransport(init.tls === undefined ? {} : { tls: init.tls });
  const baseUrl = new URL(init.baseUrl);
  const clock = init.clock ?? systemClock;
  const { credentials } = init;
  const requests = new RegistryRequests({
    baseUrl,
    transport,
    authorization: init.authorization,
    authorizer: new RegistryAuthorizer({ baseUrl, transport, credentials, clock }),
    clock,
    rng: init.rng ?? systemRng,
    attempts: init.attempts ?? 4,
  });

  async function document(request: Omit<RegistryRequest, 'method' | 'accept'>): Promise<{
    readonly bytes: Uint8Array;
    readonly headers: HttpResponse['headers'];
  }> {
    const response = await requests.send({ ...request, method: 'GET', accept: [200] });
    const bytes = await readBody(response.body, { maxBytes: maxListBytes, code: 'registry_error' });
    return { bytes, headers: response.headers };
  }

  const client: RegistryClient = {
    async ping({ signal } = {}) {
      await document({ target: '/v2/', signal });
    },

    async resolve(repository, tag, { signal } = {}) {
      const target = `/v2/${repository}/manifests/${tag}`;
      const headers = { accept: acceptManifests };
      const response = await requests.send({
        method: 'HEAD',
        target,
        headers,
        accept: [200, 404],
        signal,
      });
      await discardBody(response.body);
      return response.status === 404 ? undefined : describe(response, target);
    },

    async manifest(repository, reference, { signal } = {}) {
      const response = await requests.send({
        method: 'GET',
        target: `/v2/${repository}/manifests/${reference}`,
        headers: { accept: acceptManifests },
        accept: [200],
        signal,
      });
      const bytes = await readBody(response.body, {
        maxBytes: maxManifestBytes,
        code: 'manifest_too_large',
      });
      return verified(bytes, response, reference);
    },

    async hasBlob(repository, digest, options = {}) {
      return (await headBlob(repository, digest, options)) !== undefined;
    },

    async blobSize(repository, digest, options = {}) {
      const found = await headBlob(repository, digest, options);
      return found === undefined ? undefined : sizeOf(found, digest);
    },

    blob(repository, blob, { signal } = {}) {
      return fetchBlob(requests, { repository, blob, signal });
    },

    blobRange(repository, part, { signal } = {}) {
      return fetchBlobRange(requests, { repository, ...part, signal });
    },

    pushBlob(repository, blob, options = {}) {
      return pushBlob(requests, { repository, ...blob, ...options });
    },

    async pushManifest(repository, { reference, mediaType, bytes }, options = {}) {
      const { signal } = options;
      const digest = digestWith(algorithmOf(reference), bytes);
      const response = await requests.send({
        method: 'PUT',
        target: `/v2/${repository}/manifests/${reference}`,
        headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
        body: () => bytes,
        accept: [201],
        signal,
      });
      await discardBody(response.body);
      // A registry that knows of subjects says so; for others the client keeps the list.
      if (response.headers['oci-subject'] === undefined) {
        await tagReferrer(client, { repository, bytes, digest }, options);
      }
      return digest;
    },

    async deleteManifest(repository, reference, { signal } = {}) {
      const target = `/v2/${repository}/manifests/${reference}`;
      const response = await requests.send({
        method: 'DELETE',
        target,
        accept: [202, 404],
        signal,
      });
      await discardBody(response.body);
      return response.status === 202;
    },

    async tags(repository, options = {}) {
      return await names(`/v2/${repository}/tags/list`, 'tags', options);
    },

    async repositories(options = {}) {
      return await names(`/v2/_catalog?n=${pageSize}`, 'repositories', options);
    },

    async referrers(repository, digest, { signal, artifactType } = {}) {
      const query =
        artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
      const first = `/v2/${repository}/referrers/${digest}${query}`;
      let found: Descriptor[] = [];
      try {
        let target: string | undefined = first;
        for (let page = 0; target !== undefined; page += 1) {
          if (page >= maxPages) {
            throw new TaplineError('registry_error', `${first} has more than ${maxPages} pages`);
          }
          const { bytes, headers } = await document({ target, signal });
          const parsed = parseManifest(bytes);
          if (parsed.kind === 'index') found.push(...parsed.index.manifests);
          target = nextPage(headers['link']);
        }
      } catch (error) {
        // A registry older than 1.1 has no such endpoint.
        if (!isTaplineError(error) || error.details['status'] !== 404) throw error;
        const options = signal === undefined ? {} : { signal };
        found = [...(await taggedReferrers(client, { repository, digest }, options))];
      }
      // Servers may ignore the filter (OCI distribution 1.1, "Listing Referrers").
      return artifactType === undefined
        ? found
        : found.filter((descriptor) => descriptor.artifactType === artifactType);
    },

    async [Symbol.asyncDispose]() {
      if (init.transport === undefined) await transport[Symbol.asyncDispose]();
    },
  };

  async function headBlob(
    repository: string,
    digest: Digest,
    { signal }: RequestOptions,
  ): Promise<HttpResponse | undefined> {
    const response = await requests.send({
      method: 'HEAD',
      target: `/v2/${repository}/blobs/${digest}`,
      accept: [200, 404],
      signal,
    });
    await discardBody(response.body);
    return response.status === 200 ? response : undefined;
  }

  /** All pages of a list of names. */
  async function names(
    first: string,
    field: 'tags' | 'repositories',
    { signal }: RequestOptions,
  ): Promise<readonly string[]> {
    const all: string[] = [];
    let target: string | undefined = first;
    for (let page = 0; target !== undefined; page += 1) {
      if (page >= maxPages) {
        throw new TaplineError('registry_error', `${first} has more than ${maxPages} pages`);
      }
      const { bytes, headers } = await document({ target, signal });
      const body = parseJson(bytes);
      const found = isRecord(body) ? body[field] : undefined;
      // Null where a repository has no tag any more.
      if (Array.isArray(found)) all.push(...found.map(String));
      target = nextPage(headers['link']);
    }
    return all;
  }
  return client;
}

function sizeOf(response: HttpResponse, digest: Digest): number {
  const size = Number(response.headers['content-length']);
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new TaplineError('registry_error', `the registry says no size of blob ${digest}`);
}

function describe(response: HttpResponse, target: string): Descriptor {
  const { headers } = response;
  const digest = headers['docker-content-digest'];
  const mediaType = headers['content-type'];
  if (typeof digest !== 'string' || typeof mediaType !== 'string') {
    throw new TaplineError(
      'registry_error',
      `answer to HEAD ${target} has no digest or media type`,
    );
  }
  return { digest: parseDigest(digest), mediaType, size: Number(headers['content-length'] ?? 0) };
}

function verified(bytes: Uint8Array, response: HttpResponse, reference: string): FetchedManifest {
  const announced = response.headers['docker-content-digest'];
  const expected = reference.includes(':') ? reference : announced;
  const digest = digestWith(algorithmOf(expected), bytes);
  if (typeof expected === 'string' && expected !== digest) {
    throw new TaplineError('digest_mismatch', `manifest has ${digest}, not ${expected}`, {
      details: { expected, actual: digest },
    });
  }
  const manifest = parseManifest(bytes);
  const { mediaType } = manifest.kind === 'manifest' ? manifest.manifest : manifest.index;
  return { digest, mediaType, bytes, manifest };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new TaplineError('registry_error', 'answer is not JSON', { cause });
  }
}

/** RFC 8288; registries give the next page so. */
function nextPage(link: string | string[] | undefined): string | undefined {
  const header = Array.isArray(link) ? link.join(', ') : (link ?? '');
  return /<([^>]+)>\s*;\s*rel="?next"?/.exec(header)?.[1];
}
