import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { TaplineError } from '@tapline/base';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Read it to its end, or destroy it, to free the connection. */
  readonly body: AsyncIterable<Uint8Array> & { destroy(): void };
}

/** Sends one request; rejects only where no answer came. Does not follow redirects. */
export interface HttpTransport extends AsyncDisposable {
  send(request: HttpRequest): Promise<HttpResponse>;
}

export interface TlsIdentity {
  /** PEM of the certificate authority to trust instead of the system's. */
  readonly ca?: string;
  /** PEM of the client's certificate and key. */
  readonly cert?: string;
  readonly key?: string;
}

/** Keep-alive connections of Node's own HTTP client; one that is silent for `idleMs` is cut. */
export function createHttpTransport(
  init: {
    readonly tls?: TlsIdentity;
    readonly maxSockets?: number;
    readonly idleMs?: number;
    /** Where connections to `http:` addresses come from instead, as within a tunnel. */
    readonly agent?: HttpAgent;
  } = {},
): HttpTransport {
  const { idleMs = 30_000 } = init;
  const pool = { keepAlive: true, maxSockets: init.maxSockets ?? 8, scheduling: 'lifo' as const };
  const http = init.agent ?? new HttpAgent(pool);
  const https = new HttpsAgent({ ...pool, ...init.tls });

  return {
    send({ method, url, headers, body, signal }) {
      const secure = url.protocol === 'https:';
      return new Promise((resolve, reject) => {
        const options = { method, headers, signal, timeout: idleMs };
        const request = secure
          ? requestHttps(url, { ...options, agent: https })
          : requestHttp(url, { ...options, agent: http });
        request.on('timeout', () =>
          request.destroy(
            new TaplineError('registry_unreachable', `${url.host} was silent for ${idleMs} ms`),
          ),
        );
        request.on('error', reject);
        request.on('response', (response: IncomingMessage) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
        );
        if (body === undefined || body instanceof Uint8Array) request.end(body);
        // A refusal may arrive while the body is still on its way: then the answer counts.
        else pipeline(body, request).catch(reject);
      });
    },
    [Symbol.asyncDispose]() {
      http.destroy();
      https.destroy();
      return Promise.resolve();
    },
  };
}
