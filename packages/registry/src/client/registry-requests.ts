import {
  backoffMs,
  type Clock,
  errorMessage,
  isTaplineError,
  type Rng,
  TaplineError,
} from '@tapline/base';
import { discardBody } from './discard-body.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from './http-transport.ts';
import { parseChallenges } from './parse-challenges.ts';
import type { RegistryAuthorizer } from './registry-authorizer.ts';
import { requestScopes } from './request-scope.ts';
import { readBody } from '../storage/read-body.ts';

export interface RegistryRequestsInit {
  readonly baseUrl: URL;
  readonly transport: HttpTransport;
  /** The `Authorization` header, asked for before each request. */
  readonly authorization: (() => string | undefined | Promise<string | undefined>) | undefined;
  /** Answers the registry's challenges where there is no such header. */
  readonly authorizer: RegistryAuthorizer;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Tries of a request that is safe to repeat. */
  readonly attempts: number;
}

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Path with query below the base URL, or a whole URL the registry gave out. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  /** Statuses that are answers; others become errors. */
  readonly accept: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

const maxRedirects = 4;
/** Answers to one request: one to the first challenge, one where a token has just ended. */
const maxChallenges = 2;
const maxErrorBytes = 64 * 1024;
const maxRetryAfterMs = 30_000;

/** Requests to one registry: authorization, redirects, retries, and errors with stable codes. */
export class RegistryRequests {
  readonly #init: RegistryRequestsInit;

  constructor(init: RegistryRequestsInit) {
    this.#init = init;
  }

  /** The absolute form of what a `Location` header says. */
  resolve(location: string): URL {
    return new URL(location, this.#init.baseUrl);
  }

  /** Sends until there is an answer that is not worth another try. */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#once(request);
      if (!(outcome instanceof TaplineError)) return outcome;
      if (attempt + 1 >= this.#init.attempts || outcome.details['retryable'] !== true) {
        throw outcome;
      }
      await this.pause(attempt, {
        signal: request.signal,
        atLeastMs: Number(outcome.details['retryAfterMs'] ?? 0),
      });
    }
  }

  /** Sends a request that must not be repeated as it is. */
  async sendOnce(request: RegistryRequest): Promise<HttpResponse> {
    const outcome = await this.#once(request);
    if (outcome instanceof TaplineError) throw outcome;
    return outcome;
  }

  /** Waits before try `attempt + 1`. */
  async pause(
    attempt: number,
    options: { readonly signal?: AbortSignal | undefined; readonly atLeastMs?: number },
  ): Promise<void> {
    const { clock, rng } = this.#init;
    const jittered = backoffMs(attempt, { baseMs: 100, maxMs: 5000, rng });
    const { signal, atLeastMs = 0 } = options;
    await clock.sleep(Math.max(jittered, atLeastMs), signal === undefined ? {} : { signal });
  }

  async #once(request: RegistryRequest): Promise<HttpResponse | TaplineError> {
    let response: HttpResponse;
    try {
      response = await this.#follow(request);
    } catch (cause) {
      request.signal?.throwIfAborted();
      if (isTaplineError(cause) && cause.code !== 'registry_unreachable') {
        if (cause.details['retryable'] === true) return cause;
        throw cause;
      }
      const { host } = this.#init.baseUrl;
      return new TaplineError('registry_unreachable', `registry ${host} does not answer`, {
        cause,
        details: { retryable: true },
      });
    }
    if (request.accept.includes(response.status)) return response;
    return await refusal(request, response);
  }

  async #follow(request: RegistryRequest): Promise<HttpResponse> {
    let url = this.resolve(request.target.toString());
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#authorized(request, url);
      const { location } = response.headers;
      const redirected = [301, 302, 303, 307, 308].includes(response.status);
      const safe = request.method === 'GET' || request.method === 'HEAD';
      if (!redirected || !safe || typeof location !== 'string') return response;
      response.body.destroy();
      if (redirects >= maxRedirects) {
        throw new TaplineError(
          'registry_error',
          `${url.host} redirects more than ${maxRedirects} times`,
        );
      }
      url = new URL(location, url);
    }
  }

  /** Sends to one URL; where the registry asks who it is, once more with the answer. */
  async #authorized(request: RegistryRequest, url: URL): Promise<HttpResponse> {
    const { authorizer, authorization: given, baseUrl } = this.#init;
    // Another origin, such as an object store, must not learn the credentials, nor ask for them.
    const isOwn = url.origin === baseUrl.origin;
    const scopes = isOwn ? requestScopes(request.method, url) : [];
    for (let tries = 0; ; tries += 1) {
      const authorization = !isOwn
        ? undefined
        : given === undefined
          ? await authorizer.header(scopes, request.signal)
          : await given();
      const response = await this.#init.transport.send({
        method: request.method,
        url,
        headers: { ...(authorization !== undefined && { authorization }), ...request.headers },
        ...(request.body !== undefined && { body: request.body() }),
        signal: request.signal,
      });
      const asked = response.headers['www-authenticate'];
      const mayAnswer = isOwn && given === undefined && tries < maxChallenges;
      if (response.status !== 401 || asked === undefined || !mayAnswer) return response;
      const challenges = parseChallenges([asked].flat().join(', '));
      if (!(await authorizer.learn(challenges, { scopes, authorization }))) return response;
      await discardBody(response.body);
    }
  }
}

/** Statuses that another try may change. */
const transient: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

async function refusal(request: RegistryRequest, response: HttpResponse): Promise<TaplineError> {
  const { status } = response;
  const said = await errorBody(response);
  const code =
    status === 401 ? 'registry_unauthorized' : status === 403 ? 'registry_denied' : said.code;
  const message = `registry answered ${status} to ${request.method} ${request.target.toString()}: ${said.message}`;
  const retryAfter = Number(response.headers['retry-after'] ?? 0) * 1000;
  return new TaplineError(code, message, {
    details: {
      status,
      retryable: transient.has(status),
      retryAfterMs: Number.isFinite(retryAfter) ? Math.min(retryAfter, maxRetryAfterMs) : 0,
    },
  });
}

// Codes of OCI distribution 1.1 that callers tell apart.
const ourCodes: Readonly<Record<string, string>> = {
  BLOB_UNKNOWN: 'blob_unknown',
  MANIFEST_UNKNOWN: 'manifest_unknown',
  MANIFEST_BLOB_UNKNOWN: 'manifest_blob_unknown',
  MANIFEST_INVALID: 'manifest_invalid',
  DIGEST_INVALID: 'digest_mismatch',
  NAME_UNKNOWN: 'name_unknown',
};

async function errorBody(
  response: HttpResponse,
): Promise<{ readonly code: string; readonly message: string }> {
  try {
    const bytes = await readBody(response.body, {
      maxBytes: maxErrorBytes,
      code: 'registry_error',
    });
    const document: unknown = JSON.parse(Buffer.from(bytes).toString());
    const [first] = (document as { errors: { code?: string; message?: string }[] }).errors;
    const code = ourCodes[first?.code ?? ''] ?? 'registry_error';
    return { code, message: first?.message ?? first?.code ?? 'no reason' };
  } catch (error) {
    // HEAD answers, proxies and other registries have no such body.
    return { code: 'registry_error', message: `no error document (${errorMessage(error)})` };
  }
}
