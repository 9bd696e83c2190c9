import { collectBytes, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { RegistryRequests } from './registry-requests.ts';

/**
 * Part of a blob. Nothing here says whether the bytes are those of the digest: whoever asks has to
 * know what they must be. Throws `range_unsupported` where the registry answers with the whole blob.
 */
export async function fetchBlobRange(
  requests: RegistryRequests,
  part: {
    readonly repository: string;
    readonly digest: Digest;
    readonly start: number;
    /** Exclusive. */
    readonly end: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Uint8Array> {
  const { repository, digest, start, end, signal } = part;
  const response = await requests.send({
    method: 'GET',
    target: `/v2/${repository}/blobs/${digest}`,
    headers: { range: `bytes=${start}-${end - 1}` },
    accept: [200, 206],
    signal,
  });
  if (response.status !== 206) {
    response.body.destroy();
    throw new TaplineError(
      'range_unsupported',
      `the registry answers with all of ${digest} where bytes ${start} to ${end} are asked for`,
    );
  }
  const wrong = (): TaplineError =>
    new TaplineError(
      'registry_error',
      `the registry sent more than ${end - start} bytes of ${digest}`,
    );
  const bytes = await collectBytes(response.body, { maxBytes: end - start, tooLarge: wrong });
  if (bytes.length === end - start) return bytes;
  throw new TaplineError(
    'registry_unreachable',
    `the registry sent ${bytes.length} of ${end - start} bytes of ${digest}`,
  );
}
