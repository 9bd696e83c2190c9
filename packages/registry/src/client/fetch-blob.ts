import { createHash } from 'node:crypto';
import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';
import type { Descriptor } from '@tapline/oci';
import type { RegistryRequests } from './registry-requests.ts';

/** Reconnects without a single new byte before a fetch gives up. */
const maxStalls = 5;

/** The bytes of a blob; resumes by range where the connection breaks, verifies size and digest. */
export async function* fetchBlob(
  requests: RegistryRequests,
  source: {
    readonly repository: string;
    readonly blob: Pick<Descriptor, 'digest' | 'size'>;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<Uint8Array, void> {
  const { repository, blob, signal } = source;
  const { digest, size } = blob;
  const hash = createHash(digest.slice(0, digest.indexOf(':')));
  let received = 0;
  let stalls = 0;
  do {
    const before = received;
    const response = await requests.send({
      method: 'GET',
      target: `/v2/${repository}/blobs/${digest}`,
      headers: received === 0 ? {} : { range: `bytes=${received}-` },
      accept: received === 0 ? [200] : [200, 206],
      signal,
    });
    // A server without ranges sends the blob from its start again.
    let skip = response.status === 206 ? 0 : received;
    try {
      for await (const chunk of response.body) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        received += fresh.length;
        if (received > size) throw tooLong(digest, size);
        hash.update(fresh);
        yield fresh;
      }
      if (received < size) throw new TaplineError('registry_unreachable', 'answer ended early');
    } catch (cause) {
      signal?.throwIfAborted();
      if (isTaplineError(cause, 'digest_mismatch')) throw cause;
      stalls = received > before ? 0 : stalls + 1;
      if (stalls >= maxStalls) {
        throw new TaplineError(
          'registry_unreachable',
          `blob ${digest} broke off at ${received} of ${size} bytes: ${errorMessage(cause)}`,
          { cause, details: { received, size } },
        );
      }
      await requests.pause(stalls, { signal });
    } finally {
      response.body.destroy();
    }
  } while (received < size);
  const actual = `${digest.slice(0, digest.indexOf(':'))}:${hash.digest('hex')}`;
  if (actual !== digest) {
    throw new TaplineError('digest_mismatch', `blob has ${actual}, not ${digest}`, {
      details: { expected: digest, actual },
    });
  }
}

function tooLong(digest: string, size: number): TaplineError {
  return new TaplineError('digest_mismatch', `blob ${digest} is longer than its ${size} bytes`);
}
