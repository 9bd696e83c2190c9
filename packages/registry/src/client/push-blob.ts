import { isTaplineError, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { discardBody } from './discard-body.ts';
import type { HttpResponse } from './http-transport.ts';
import type { PushOutcome } from './registry-client.ts';
import type { RegistryRequests } from './registry-requests.ts';

const attempts = 3;

/** Puts a blob into a repository that may have it already: asks, mounts, and only then sends it. */
export async function pushBlob(
  requests: RegistryRequests,
  push: {
    readonly repository: string;
    readonly digest: Digest;
    readonly size: number;
    readonly open: () => AsyncIterable<Uint8Array>;
    readonly mountFrom?: string;
    readonly signal?: AbortSignal;
  },
): Promise<PushOutcome> {
  const { repository, digest, signal } = push;
  const found = await requests.send({
    method: 'HEAD',
    target: `/v2/${repository}/blobs/${digest}`,
    accept: [200, 404],
    signal,
  });
  await discardBody(found.body);
  if (found.status === 200) return 'present';
  for (let attempt = 0; ; attempt += 1) {
    const opened = await requests.send({
      method: 'POST',
      target: `/v2/${repository}/blobs/uploads/${mountQuery(push)}`,
      headers: { 'content-length': '0' },
      accept: [201, 202],
      signal,
    });
    await discardBody(opened.body);
    if (opened.status === 201) return 'mounted';
    try {
      await upload(requests, { ...push, location: uploadLocation(requests, opened, digest) });
      return 'uploaded';
    } catch (error) {
      // A broken upload cannot be sent again to the same place; a new one can be opened.
      const broken = isTaplineError(error) && error.details['retryable'] === true;
      if (!broken || attempt + 1 >= attempts) throw error;
      await requests.pause(attempt, { signal });
    }
  }
}

async function upload(
  requests: RegistryRequests,
  put: {
    readonly location: URL;
    readonly size: number;
    readonly open: () => AsyncIterable<Uint8Array>;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const response = await requests.sendOnce({
    method: 'PUT',
    target: put.location,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(put.size) },
    body: put.open,
    accept: [201],
    signal: put.signal,
  });
  await discardBody(response.body);
}

function mountQuery(push: { readonly digest: Digest; readonly mountFrom?: string }): string {
  if (push.mountFrom === undefined) return '';
  return `?${new URLSearchParams({ mount: push.digest, from: push.mountFrom }).toString()}`;
}

function uploadLocation(requests: RegistryRequests, opened: HttpResponse, digest: Digest): URL {
  const { location } = opened.headers;
  if (typeof location !== 'string') {
    throw new TaplineError('registry_error', 'registry opened an upload without its location');
  }
  const url = requests.resolve(location);
  url.searchParams.set('digest', digest);
  return url;
}
