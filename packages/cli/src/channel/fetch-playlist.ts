import { type Clock, TaplineError } from '@tapline/base';
import { defaultPlaylistLimits, type Finding, type Playlist, validatePlaylist } from '@tapline/hls';

export interface FetchedPlaylist {
  /** Where it was found, after redirects: what its URIs are relative to. */
  readonly url: string;
  readonly playlist: Playlist;
  readonly findings: readonly Finding[];
  /** Until its last byte. */
  readonly milliseconds: number;
}

export interface FetchContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Fetches and checks a playlist. Throws `origin_failed` where the origin does not give one. */
export async function fetchPlaylist(
  url: string,
  context: FetchContext,
  variables: Readonly<Record<string, string>> = {},
): Promise<FetchedPlaylist> {
  const { clock } = context;
  const fromMs = clock.monotonic();
  const { response, bytes } = await fetchBytes(url, {
    ...context,
    maxBytes: defaultPlaylistLimits.maxBytes,
  });
  const found = validatePlaylist(bytes, { url: response.url, variables });
  return { url: response.url, ...found, milliseconds: clock.monotonic() - fromMs };
}

/** A whole answer of the status 200 or 206, and no more bytes of it than asked for. */
export async function fetchBytes(
  url: string,
  init: Omit<FetchContext, 'clock'> & {
    readonly maxBytes: number;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<{ readonly response: Response; readonly bytes: Uint8Array }> {
  const { headers = {}, maxBytes, timeoutMs } = init;
  const signal = AbortSignal.any([init.signal, AbortSignal.timeout(timeoutMs)]);
  let response: Response;
  const chunks: Uint8Array[] = [];
  try {
    response = await fetch(url, { headers, signal });
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      // The rest of an endless answer is not waited for.
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
    if (size > maxBytes) {
      throw new TaplineError('origin_failed', `${url}: the answer exceeds ${maxBytes} bytes`);
    }
  } catch (cause) {
    init.signal.throwIfAborted();
    if (cause instanceof TaplineError) throw cause;
    const why = signal.aborted ? `did not answer within ${timeoutMs} ms` : 'could not be fetched';
    throw new TaplineError('origin_failed', `${url} ${why}`, { cause });
  }
  if (response.status !== 200 && response.status !== 206) {
    throw new TaplineError('origin_failed', `${url} answers ${response.status}`);
  }
  return { response, bytes: Buffer.concat(chunks) };
}
