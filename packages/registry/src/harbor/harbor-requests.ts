import {
  backoffMs,
  type Clock,
  errorMessage,
  isRecord,
  type Rng,
  TaplineError,
} from '@tapline/base';
import { discardBody } from '../client/discard-body.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from '../client/http-transport.ts';
import { readBody } from '../storage/read-body.ts';

export interface HarborRequestsInit {
  /** Scheme, host and port of Harbor; the API is below `/api/v2.0`. */
  readonly baseUrl: URL;
  readonly username: string;
  readonly password: string;
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Tries of a request that is safe to repeat. */
  readonly attempts: number;
}

export interface HarborRequest {
  readonly method: HttpRequest['method'];
  /** Below `/api/v2.0`, each segment encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The name in the path is one, even where it has digits only. */
  readonly isResourceName?: true;
  readonly signal?: AbortSignal | undefined;
}

const maxBytes = 16 * 1024 * 1024;
const pageSize = 100;
const maxPages = 10_000;

/** Requests to Harbor's REST API: basic authentication, JSON, pages, retries, stable error codes. */
export class HarborRequests {
  readonly #init: HarborRequestsInit;
  readonly #authorization: string;

  constructor(init: HarborRequestsInit) {
    this.#init = init;
    const pair = Buffer.from(`${init.username}:${init.password}`).toString('base64');
    this.#authorization = `Basic ${pair}`;
  }

  /** The answer's JSON. */
  async read<T>(request: HarborRequest): Promise<T> {
    return (await this.#json(await this.#send(request))) as T;
  }

  /** Like `read`, undefined where there is no such thing. */
  async find<T>(request: HarborRequest): Promise<T | undefined> {
    try {
      return await this.read<T>(request);
    } catch (error) {
      if (error instanceof TaplineError && error.code === 'harbor_not_found') return undefined;
      throw error;
    }
  }

  /** Sends; what comes back is not read. */
  async write(request: HarborRequest): Promise<void> {
    const response = await this.#send(request);
    await discardBody(response.body);
  }

  /** Creates, and answers the id at the end of `Location`. */
  async create(request: HarborRequest): Promise<number> {
    const response = await this.#send(request);
    await discardBody(response.body);
    const { location } = response.headers;
    const id = Number(typeof location === 'string' ? location.split('/').at(-1) : Number.NaN);
    if (Number.isSafeInteger(id)) return id;
    throw new TaplineError('harbor_error', `Harbor said no id of what it made at ${request.path}`);
  }

  /** Everything of a list, page by page. */
  async list<T>(request: Omit<HarborRequest, 'method'>): Promise<readonly T[]> {
    const all: T[] = [];
    for (let page = 1; page <= maxPages; page += 1) {
      const query = { ...request.query, page: String(page), page_size: String(pageSize) };
      const response = await this.#send({ ...request, method: 'GET', query });
      const items = await this.#json(response);
      if (!Array.isArray(items)) {
        throw new TaplineError('harbor_error', `Harbor answered no list at ${request.path}`);
      }
      all.push(...(items as T[]));
      if (items.length < pageSize) return all;
    }
    throw new TaplineError('harbor_error', `list ${request.path} has more than ${maxPages} pages`);
  }

  async #send(request: HarborRequest): Promise<HttpResponse> {
    const { clock, rng, attempts } = this.#init;
    // A POST may have been carried out although no answer came.
    const tries = request.method === 'POST' ? 1 : attempts;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(request);
      } catch (error) {
        const retryable = error instanceof TaplineError && error.details['retryable'] === true;
        if (!retryable || attempt + 1 >= tries) throw error;
        const { signal } = request;
        const waitMs = backoffMs(attempt, { baseMs: 200, maxMs: 5000, rng });
        await clock.sleep(waitMs, signal === undefined ? {} : { signal });
      }
    }
  }

  async #once(request: HarborRequest): Promise<HttpResponse> {
    const { baseUrl, transport } = this.#init;
    const url = new URL(`/api/v2.0${request.path}`, baseUrl);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      url.searchParams.set(name, value);
    }
    const bytes =
      request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    let response: HttpResponse;
    try {
      response = await transport.send({
        method: request.method,
        url,
        headers: {
          accept: 'application/json',
          authorization: this.#authorization,
          ...(request.isResourceName === true && { 'x-is-resource-name': 'true' }),
          ...(bytes !== undefined && {
            'content-type': 'application/json',
            'content-length': String(bytes.length),
          }),
        },
        ...(bytes !== undefined && { body: bytes }),
        signal: request.signal,
      });
    } catch (cause) {
      request.signal?.throwIfAborted();
      throw new TaplineError('harbor_unreachable', `Harbor at ${baseUrl.host} does not answer`, {
        cause,
        details: { retryable: true },
      });
    }
    if (response.status >= 200 && response.status < 300) return response;
    throw await refusal(request, response);
  }

  async #json(response: HttpResponse): Promise<unknown> {
    const bytes = await readBody(response.body, { maxBytes, code: 'harbor_error' });
    try {
      return JSON.parse(Buffer.from(bytes).toString());
    } catch (cause) {
      throw new TaplineError('harbor_error', 'the answer of Harbor is not JSON', { cause });
    }
  }
}

const codes: Readonly<Record<number, string>> = {
  400: 'harbor_invalid',
  401: 'harbor_unauthorized',
  403: 'harbor_denied',
  404: 'harbor_not_found',
  409: 'harbor_conflict',
  412: 'harbor_in_use',
  422: 'harbor_invalid',
};

async function refusal(request: HarborRequest, response: HttpResponse): Promise<TaplineError> {
  const { status } = response;
  const message = `Harbor answered ${status} to ${request.method} ${request.path}: ${await reason(response)}`;
  return new TaplineError(codes[status] ?? 'harbor_error', message, {
    details: { status, retryable: status === 429 || status >= 500 },
  });
}

async function reason(response: HttpResponse): Promise<string> {
  try {
    const bytes = await readBody(response.body, { maxBytes: 65_536, code: 'harbor_error' });
    const document: unknown = JSON.parse(Buffer.from(bytes).toString());
    const errors = isRecord(document) ? document['errors'] : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    return isRecord(first) ? String(first['message'] ?? first['code']) : 'no reason given';
  } catch (error) {
    // A proxy in front of Harbor answers with pages of its own.
    return `no error document (${errorMessage(error)})`;
  }
}
