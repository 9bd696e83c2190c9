import { type Clock, collectBytes, TaplineError } from '@tapline/base';
import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Credentials } from './http-client.ts';
import type { ExchangeRequest, OpenAnswer, ResourceExchange } from './resource-exchange.ts';
import { statusError } from './status-error.ts';

export interface HttpExchangeInit {
  readonly baseUrl: string;
  readonly ca?: string;
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Where connections to an `http:` address come from instead. */
  readonly agent?: HttpAgent;
}

// By import, Node would load all of undici for the parts of `node:http` that are made from it: 30 ms
// and more of each command.
const http = process.getBuiltinModule('node:http');

const maxAnswerBytes = 256 * 1024 * 1024;

/** Requests to one API over connections that stay open. */
export class HttpExchange implements ResourceExchange {
  readonly #base: URL;
  readonly #prefix: string;
  readonly #agent: HttpAgent;
  readonly #shared: RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #disposing = new AbortController();

  constructor(init: HttpExchangeInit) {
    const { credentials } = init;
    this.#base = new URL(init.baseUrl);
    this.#prefix = this.#base.pathname.replace(/\/$/, '');
    const keepAlive = { keepAlive: true, noDelay: true };
    this.#agent =
      this.#base.protocol === 'http:'
        ? (init.agent ?? new http.Agent(keepAlive))
        : new HttpsAgent({
            ...keepAlive,
            ...(init.ca === undefined ? {} : { ca: init.ca }),
            ...(credentials.kind === 'certificate'
              ? { cert: credentials.certificate, key: credentials.key }
              : {}),
          });
    this.#shared = {
      host: this.#base.hostname.replace(/^\[|\]$/g, ''),
      port: this.#base.port === '' ? undefined : Number(this.#base.port),
      agent: this.#agent,
    };
    this.#headers = {
      'user-agent': init.userAgent,
      accept: 'application/json',
      ...(credentials.kind === 'token' ? { authorization: `Bearer ${credentials.token}` } : {}),
    };
    this.#clock = init.clock;
    this.#timeoutMs = init.timeoutMs;
  }

  async json(request: ExchangeRequest): Promise<unknown> {
    const late = new AbortController();
    const timer = new AbortController();
    const expiry = this.#clock.sleep(this.#timeoutMs, { signal: timer.signal }).then(
      () =>
        late.abort(
          new TaplineError(
            'unavailable',
            `${this.#origin} did not answer ${request.method} ${request.path} in ${this.#timeoutMs} ms`,
          ),
        ),
      () => undefined,
    );
    try {
      const signals = [late.signal, ...(request.signal === undefined ? [] : [request.signal])];
      const signal = AbortSignal.any(signals);
      const response = await this.#open({ ...request, signal });
      return parseJson(await readAll(response, signal), this.#origin);
    } finally {
      // A reason given is no DOMException made, whose stack costs more than the rest of this.
      timer.abort('answered');
      await expiry;
    }
  }

  async open(request: ExchangeRequest): Promise<OpenAnswer> {
    const response = await this.#open(request);
    return { body: response as AsyncIterable<Buffer>, destroy: () => void response.destroy() };
  }

  async #open(request: ExchangeRequest): Promise<IncomingMessage> {
    const response = await this.#send(request);
    const { statusCode = 0 } = response;
    if (statusCode < 300) return response;
    const text = await readAll(response, undefined);
    let body: unknown;
    try {
      body = JSON.parse(new TextDecoder().decode(text));
    } catch {
      // A proxy's page is no Status; its HTTP status says all there is.
      body = undefined;
    }
    throw statusError(statusCode, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposing.abort(new TaplineError('unavailable', 'the client is closed'));
    this.#agent.destroy();
    await Promise.resolve();
  }

  get #origin(): string {
    return this.#base.origin;
  }

  #send(request: ExchangeRequest): Promise<IncomingMessage> {
    const { method, path, body, contentType = 'application/json', signal } = request;
    const signals = [this.#disposing.signal, ...(signal === undefined ? [] : [signal])];
    const either = AbortSignal.any(signals);
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const open = this.#base.protocol === 'http:' ? http.request : httpsRequest;
    return new Promise((resolve, reject) => {
      if (either.aborted) return reject(either.reason);
      const sent = open(
        {
          ...this.#shared,
          method,
          path: `${this.#prefix}${path}`,
          headers: {
            ...this.#headers,
            ...(bytes === undefined
              ? {}
              : { 'content-type': contentType, 'content-length': bytes.length }),
          },
        },
        resolve,
      );
      const onAbort = (): void => void sent.destroy();
      either.addEventListener('abort', onAbort, { once: true });
      sent.once('close', () => either.removeEventListener('abort', onAbort));
      sent.on('error', (cause) => {
        reject(
          either.aborted
            ? either.reason
            : new TaplineError('unavailable', `${this.#origin} cannot be reached`, { cause }),
        );
      });
      sent.end(bytes);
    });
  }
}

async function readAll(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  try {
    return await collectBytes(response as AsyncIterable<Buffer>, {
      maxBytes: maxAnswerBytes,
      tooLarge: () =>
        new TaplineError('unexpected_answer', `an answer has more than ${maxAnswerBytes} bytes`),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof TaplineError) throw cause;
    throw new TaplineError('unavailable', 'the connection was cut within an answer', { cause });
  }
}

function parseJson(bytes: Uint8Array, origin: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new TaplineError('unexpected_answer', `${origin} answered something other than JSON`, {
      cause,
    });
  }
}
