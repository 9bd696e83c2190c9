import { TaplineError } from '@tapline/base';

export interface WholeAnswer {
  readonly status: number;
  readonly cacheStatus: string | null;
  readonly size: number;
  /** Empty unless asked for. */
  readonly bytes: readonly Uint8Array[];
}

const answerMs = 30_000;

/**
 * Fetches and reads to the end. Throws `origin_failed` where there is no whole answer: an endless one
 * is given up at `maxBytes`.
 */
export async function fetchWhole(
  url: string,
  init: {
    readonly signal: AbortSignal;
    readonly maxBytes: number;
    readonly keep?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<WholeAnswer> {
  const { keep = true, maxBytes } = init;
  const signal = AbortSignal.any([init.signal, AbortSignal.timeout(answerMs)]);
  const path = new URL(url).pathname;
  let response: Response;
  const bytes: Uint8Array[] = [];
  let size = 0;
  try {
    response = await fetch(url, { signal, redirect: 'manual', headers: { ...init.headers } });
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > maxBytes) break;
      if (keep) bytes.push(part);
    }
  } catch (cause) {
    init.signal.throwIfAborted();
    throw new TaplineError('origin_failed', `${path} was not answered to its end`, { cause });
  }
  if (size > maxBytes) {
    throw new TaplineError('origin_failed', `${path} exceeds ${maxBytes} bytes`);
  }
  return {
    status: response.status,
    cacheStatus: response.headers.get('cache-status'),
    size,
    bytes,
  };
}
