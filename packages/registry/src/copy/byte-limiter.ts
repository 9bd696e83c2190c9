import { type Clock, TaplineError } from '@tapline/base';

/** Lets bytes through no faster than a rate, shared by all that pass. */
export interface ByteLimiter {
  /** Resolves when `bytes` may go. */
  take(bytes: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** What may go at once after a pause, as a share of a second. */
const burstSeconds = 0.25;

/** A limiter of `bytesPerSecond`; in the order of asking. */
export function createByteLimiter(bytesPerSecond: number, clock: Clock): ByteLimiter {
  if (!(bytesPerSecond > 0)) {
    throw new TaplineError(
      'invalid',
      `a rate of ${bytesPerSecond} bytes a second lets nothing pass`,
    );
  }
  /** When all that was let through is paid for. */
  let paidAtMs = Number.NEGATIVE_INFINITY;
  return {
    async take(bytes, { signal } = {}) {
      const nowMs = clock.monotonic();
      const earliest = nowMs - burstSeconds * 1000;
      paidAtMs = Math.max(paidAtMs, earliest) + (bytes / bytesPerSecond) * 1000;
      const waitMs = paidAtMs - nowMs;
      if (waitMs > 0) await clock.sleep(waitMs, signal === undefined ? {} : { signal });
    },
  };
}

/** The same bytes, at the limiter's rate. */
export async function* limited(
  source: AsyncIterable<Uint8Array>,
  limiter: ByteLimiter,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    await limiter.take(chunk.length, { signal });
    yield chunk;
  }
}
