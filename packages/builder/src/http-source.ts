import {
  backoffMs,
  type Clock,
  errorMessage,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import type { HttpResponse, HttpTransport } from '@tapline/registry';

export interface HttpSourceInit {
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Requests per resource, the first included; 5 unless given. */
  readonly attempts?: number;
  /** Longest wait for the head of an answer; 30 s unless given. */
  readonly timeoutMs?: number;
}

export interface HttpSourceRequest {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are an answer; others are errors. */
  readonly accept: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** HTTP of the kind that mirrors need: redirects, bounded retries, and errors that say what to do. */
export interface HttpSource {
  readonly clock: Clock;
  readonly log: Log;
  /** The answer's body has to be read or destroyed. Throws `homebrew_unreachable`. */
  open(url: string, request: HttpSourceRequest): Promise<HttpResponse>;
  /** Waits before attempt `attempt` + 1, or answers false when there is none. */
  retry(attempt: number, signal?: AbortSignal): Promise<boolean>;
}

const maxRedirects = 5;

export function createHttpSource(init: HttpSourceInit): HttpSource {
  const { transport, clock, rng, log } = init;
  const attempts = init.attempts ?? 5;

  async function retry(attempt: number, signal?: AbortSignal): Promise<boolean> {
    if (attempt + 1 >= attempts) return false;
    const delay = backoffMs(attempt, { baseMs: 200, maxMs: 5_000, rng });
    await clock.sleep(delay, signal === undefined ? {} : { signal });
    return true;
  }

  async function follow(url: string, request: HttpSourceRequest): Promise<HttpResponse> {
    let target = new URL(url);
    let headers = { 'user-agent': 'tapline', ...request.headers };
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const response = await sendWithin(target, headers, request);
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.status) || typeof location !== 'string') {
        return response;
      }
      response.body.destroy();
      const next = new URL(location, target);
      if (next.origin !== target.origin) {
        // RFC 9110 §11.6.2: credentials are for the origin that asked for them.
        const { authorization: _dropped, ...others } = headers as Record<string, string>;
        headers = { 'user-agent': 'tapline', ...others };
      }
      target = next;
    }
    throw new TaplineError(
      'homebrew_unreachable',
      `${url} redirects more than ${maxRedirects} times`,
    );
  }

  async function sendWithin(
    url: URL,
    headers: Readonly<Record<string, string>>,
    request: HttpSourceRequest,
  ): Promise<HttpResponse> {
    const timeoutMs = init.timeoutMs ?? 30_000;
    const tooLate = new AbortController();
    const answered = new AbortController();
    const signal = request.signal
      ? AbortSignal.any([request.signal, tooLate.signal])
      : tooLate.signal;
    clock.sleep(timeoutMs, { signal: answered.signal }).then(
      () => tooLate.abort(new Error(`no answer within ${timeoutMs} ms`)),
      // The answer came first.
      () => undefined,
    );
    try {
      return await transport.send({ method: request.method ?? 'GET', url, headers, signal });
    } finally {
      answered.abort();
    }
  }

  async function attemptOnce(url: string, request: HttpSourceRequest): Promise<Attempt> {
    try {
      const response = await follow(url, request);
      if (request.accept.includes(response.status)) return { kind: 'answer', response };
      response.body.destroy();
      const again = response.status >= 500 || response.status === 429 || response.status === 408;
      return {
        kind: again ? 'again' : 'final',
        why: `status ${response.status}`,
        cause: undefined,
      };
    } catch (cause) {
      request.signal?.throwIfAborted();
      return { kind: 'again', why: errorMessage(cause), cause };
    }
  }

  return {
    clock,
    log,
    retry,
    async open(url, request) {
      for (let attempt = 0; ; attempt += 1) {
        request.signal?.throwIfAborted();
        const result = await attemptOnce(url, request);
        if (result.kind === 'answer') return result.response;
        log.debug('request failed', { url, attempt, why: result.why });
        if (result.kind === 'final' || !(await retry(attempt, request.signal))) {
          throw unreachable(url, result.why, { attempts: attempt + 1, cause: result.cause });
        }
      }
    },
  };
}

type Attempt =
  | { readonly kind: 'answer'; readonly response: HttpResponse }
  | { readonly kind: 'again' | 'final'; readonly why: string; readonly cause: unknown };

function unreachable(
  url: string,
  why: string,
  { attempts, cause }: { readonly attempts: number; readonly cause: unknown },
): TaplineError {
  const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  // A cause is part of the text already.
  const because = cause === undefined ? `: ${why}` : '';
  return new TaplineError('homebrew_unreachable', `${url} did not answer in ${times}${because}`, {
    hint: 'check the network, or name a mirror with HOMEBREW_API_DOMAIN and HOMEBREW_ARTIFACT_DOMAIN',
    details: { url, attempts },
    ...(cause !== undefined && { cause }),
  });
}
