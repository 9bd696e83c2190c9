import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { type Clock, TaplineError } from '@tapline/base';
import type { HeaderField, HeaderFields } from '../rfc/header-fields.ts';
import { OriginBody } from './origin-body.ts';

export interface OriginRequest {
  /** Scheme, authority, and a path that goes before the target. */
  readonly origin: URL;
  readonly method: string;
  readonly target: string;
  readonly fields: HeaderFields;
  readonly body: AsyncIterable<Uint8Array> | undefined;
  readonly connectMs: number;
  readonly headMs: number;
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

export interface OriginResponse {
  readonly status: number;
  readonly fields: HeaderFields;
  readonly requestTimeMs: number;
  readonly responseTimeMs: number;
  /** Fails with `origin_broken` where it ends before its length. Whoever gets it reads or destroys it. */
  readonly body: OriginBody;
}

/** Asks origins and parents; one per edge. Follows no redirects and undoes no coding. */
export class OriginClient implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor(init: { readonly clock: Clock; readonly maxSockets: number; readonly ca?: string }) {
    this.#clock = init.clock;
    const pool = { keepAlive: true, maxSockets: init.maxSockets, scheduling: 'lifo' as const };
    this.#http = new HttpAgent(pool);
    this.#https = new HttpsAgent({ ...pool, ...(init.ca !== undefined && { ca: init.ca }) });
  }

  /** Rejects with `origin_unreachable`, `origin_timeout` or `origin_broken` where no head came. */
  async fetch(asked: OriginRequest): Promise<OriginResponse> {
    const { origin } = asked;
    const requestTimeMs = this.#clock.now();
    const answered = new AbortController();
    const secure = origin.protocol === 'https:';
    const send = secure ? requestHttps : requestHttp;
    const request = send({
      agent: secure ? this.#https : this.#http,
      host: origin.hostname.replaceAll(/^\[|\]$/g, ''),
      port: origin.port === '' ? (secure ? 443 : 80) : Number(origin.port),
      method: asked.method,
      path: `${origin.pathname.replace(/\/$/, '')}${asked.target}`,
      headers: asked.fields.flatMap(([name, value]) => [name, value]),
      setHost: false,
      signal: asked.signal,
      timeout: asked.idleMs > asked.headMs ? asked.idleMs : asked.headMs,
    });
    const answer = await new Promise<{
      readonly response: IncomingMessage;
      readonly body: OriginBody;
    }>((resolve, reject) => {
      const late = (ms: number, what: string): void => {
        this.#clock.sleep(ms, { signal: answered.signal }).then(
          () => request.destroy(timedOut(origin, `${what} within ${ms} ms`)),
          // Cancelled: it came in time.
          () => undefined,
        );
      };
      late(asked.headMs, 'no answer');
      const connecting = new AbortController();
      request.once('socket', (socket) => {
        if (!socket.connecting) return;
        socket.once(secure ? 'secureConnect' : 'connect', () => connecting.abort());
        const signal = AbortSignal.any([connecting.signal, answered.signal]);
        this.#clock.sleep(asked.connectMs, { signal }).then(
          () => request.destroy(timedOut(origin, `no connection within ${asked.connectMs} ms`)),
          () => undefined,
        );
      });
      request.once('response', (response) => {
        const body = new OriginBody(response, (error) =>
          error === undefined
            ? broken(origin, 'the body ended before its length')
            : asOriginError(error, origin),
        );
        resolve({ response, body });
      });
      // An upgrade is not asked for; an origin that switches protocols anyway is broken.
      request.once('upgrade', (_, socket) => {
        socket.destroy();
        reject(broken(origin, 'it switched protocols'));
      });
      request.on('error', (error) => reject(asOriginError(error, origin)));
      if (asked.body === undefined) request.end();
      else pipeline(asked.body, request).catch(reject);
    }).finally(() => answered.abort());
    const { response, body } = answer;
    request.setTimeout(asked.idleMs, () =>
      response.destroy(timedOut(origin, `no bytes for ${asked.idleMs} ms`)),
    );
    return {
      status: response.statusCode ?? 0,
      fields: pairs(response.rawHeaders),
      requestTimeMs,
      responseTimeMs: this.#clock.now(),
      body,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#http.destroy();
    this.#https.destroy();
    return Promise.resolve();
  }
}

function pairs(raw: readonly string[]): HeaderFields {
  const fields: HeaderField[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    fields.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
  }
  return fields;
}

function asOriginError(error: unknown, origin: URL): TaplineError {
  if (error instanceof TaplineError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return broken(origin, `its answer is no HTTP (${code})`, error);
  if (code === 'ECONNRESET' || code === 'ABORT_ERR') {
    return broken(origin, 'the connection was cut', error);
  }
  return new TaplineError('origin_unreachable', `origin ${origin.host} cannot be reached`, {
    cause: error,
    hint: 'look whether it runs and whether this edge may connect to it',
  });
}

function broken(origin: URL, what: string, cause?: unknown): TaplineError {
  return new TaplineError('origin_broken', `origin ${origin.host}: ${what}`, { cause });
}

function timedOut(origin: URL, what: string): TaplineError {
  return new TaplineError('origin_timeout', `origin ${origin.host}: ${what}`);
}
