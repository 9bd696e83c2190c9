import { Agent, request as sendRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { isRecord, TaplineError } from '@tapline/base';
import type { IcingaEndpoint } from './icinga-endpoint.ts';
import { readBounded } from './read-bounded.ts';

export interface IcingaRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From `/v1` on, each segment encoded. */
  readonly path: string;
  /** With GET it is sent as a POST that says so: Icinga reads filters out of bodies. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Files are sent to nobody who asks for JSON. */
  readonly accept?: '*/*';
  readonly signal?: AbortSignal | undefined;
}

export interface IcingaRequestsInit {
  readonly endpoint: IcingaEndpoint;
  /** Connections at the same time, streams aside. */
  readonly connections: number;
  /** How long an answer may be silent. */
  readonly timeoutMs: number;
}

// All objects of a large Icinga, with what is asked of each.
const maxAnswerBytes = 256 * 1024 * 1024;
const maxErrorBytes = 65_536;
// Icinga 2.13 drops connections that were idle for 10 s; ours are gone before.
const idleMs = 5000;

/** Requests to Icinga's REST API: its certificate pinned, bounded answers, stable error codes. */
export class IcingaRequests implements AsyncDisposable {
  readonly #init: IcingaRequestsInit;
  readonly #base: URL;
  readonly #pooled: Agent;
  /** A stream holds its connection for as long as it lives. */
  readonly #single: Agent;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(init: IcingaRequestsInit) {
    const { url, caPem, serverName, login } = init.endpoint;
    this.#init = init;
    this.#base = new URL(url);
    if (this.#base.protocol !== 'https:') {
      throw new TaplineError('configuration_invalid', `Icinga's URL ${url} is not https`, {
        hint: "Icinga's API has nothing else; its port is 5665",
      });
    }
    const tls = {
      ca: [caPem],
      ...(serverName !== undefined && { servername: serverName }),
      ...(login.kind === 'certificate' && { cert: login.certificatePem, key: login.keyPem }),
    };
    this.#pooled = new Agent({
      ...tls,
      keepAlive: true,
      maxSockets: init.connections,
      timeout: idleMs,
      scheduling: 'lifo',
    });
    this.#single = new Agent({ ...tls, keepAlive: false });
    this.#headers = {
      accept: 'application/json',
      ...(login.kind === 'password' && {
        authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`,
      }),
    };
  }

  /** The answer's JSON. Throws `icinga_…`. */
  async json(request: IcingaRequest): Promise<unknown> {
    return parseJson(await this.text(request), request);
  }

  /** The answer as text. */
  async text(request: IcingaRequest): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const response = await this.#send(request, this.#pooled);
        await refuseUnlessOk(request, response);
        return await readBounded(response, maxAnswerBytes);
      } catch (error) {
        // It was closed at the other end while it lay idle: nothing was carried out.
        if (attempt > 0 || !isStale(error)) throw this.#unreachable(request, error);
      }
    }
  }

  /** An answer that is read as it comes. Icinga sends not even its status before there is something. */
  async stream(request: IcingaRequest): Promise<IncomingMessage> {
    try {
      const response = await this.#send(request, this.#single);
      await refuseUnlessOk(request, response);
      return response;
    } catch (error) {
      throw this.#unreachable(request, error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#pooled.destroy();
    this.#single.destroy();
    return Promise.resolve();
  }

  #send(
    { method, path, body, accept, signal }: IcingaRequest,
    agent: Agent,
  ): Promise<IncomingMessage> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const isQuery = method === 'GET' && bytes !== undefined;
    return new Promise((resolve, reject) => {
      const sent = sendRequest(
        new URL(path, this.#base),
        {
          agent,
          method: isQuery ? 'POST' : method,
          headers: {
            ...this.#headers,
            ...(accept !== undefined && { accept }),
            ...(isQuery && { 'x-http-method-override': 'GET' }),
            ...(bytes !== undefined && {
              'content-type': 'application/json',
              'content-length': String(bytes.length),
            }),
          },
          signal,
          // The stream's silence is for the one who reads it to judge.
          timeout: agent === this.#single ? 0 : this.#init.timeoutMs,
        },
        resolve,
      );
      sent.on('timeout', () =>
        sent.destroy(new Error(`was silent for ${this.#init.timeoutMs} ms`)),
      );
      sent.on('error', (error: NodeJS.ErrnoException) => {
        if (sent.reusedSocket && error.code === 'ECONNRESET') reject(new StaleConnection(error));
        else reject(error);
      });
      sent.end(bytes);
    });
  }

  #unreachable(request: IcingaRequest, cause: unknown): unknown {
    if (cause instanceof TaplineError) return cause;
    if (request.signal?.aborted === true) return request.signal.reason;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new TaplineError(
      'icinga_unreachable',
      `Icinga at ${this.#base.host} does not answer: ${why}`,
      {
        cause,
        hint: 'see whether it runs, and whether its certificate is from the CA of the configuration and has the name that it is reached by',
        details: { retryable: true },
      },
    );
  }
}

class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isStale(error: unknown): boolean {
  return error instanceof StaleConnection;
}

const codes: Readonly<Record<number, string>> = {
  400: 'icinga_invalid',
  401: 'icinga_unauthorized',
  403: 'icinga_denied',
  404: 'icinga_not_found',
  409: 'icinga_busy',
  503: 'icinga_busy',
};

async function refuseUnlessOk(request: IcingaRequest, response: IncomingMessage): Promise<void> {
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return;
  const why = reasonOf(await readBounded(response, maxErrorBytes));
  // The same status and shape as for what Icinga does not accept.
  const exists = status === 500 && /already exists/.test(why);
  const refused = status === 500 && /could not be created|Error: /.test(why);
  const code = exists ? 'icinga_exists' : refused ? 'icinga_invalid' : codes[status];
  throw new TaplineError(
    code ?? 'icinga_error',
    `Icinga answered ${status} to ${request.method} ${request.path}: ${why}`,
    { details: { status, retryable: status === 409 || status === 503 } },
  );
}

/** What Icinga says in one of its three shapes; pages of a proxy say nothing. */
function reasonOf(text: string): string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return (
      text
        .replaceAll(/<[^>]*>/g, '')
        .trim()
        .slice(0, 200) || 'no reason given'
    );
  }
  if (!isRecord(document)) return 'no reason given';
  const results = document['results'];
  const first: unknown = Array.isArray(results) ? results[0] : document;
  if (!isRecord(first)) return 'no reason given';
  const errors = Array.isArray(first['errors']) ? first['errors'].map(String) : [];
  const status = first['status'];
  return [typeof status === 'string' ? status : 'no reason given', ...errors]
    .join(' ')
    .slice(0, 2000);
}

function parseJson(text: string, { method, path }: IcingaRequest): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TaplineError('icinga_error', `Icinga's answer to ${method} ${path} is not JSON`, {
      cause,
    });
  }
}
