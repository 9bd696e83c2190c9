import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, errorMessage, type Log, type Rng, TaplineError } from '@tapline/base';
import type { AccessControl } from '../access/authorize.ts';
import { apiError, badRequest } from '../api-error.ts';
import type { ConnectHandler, ConnectRequest } from '../connect-handler.ts';
import type { Engine } from '../engine/engine.ts';
import type { Gate } from '../gate.ts';
import type { Identity } from '../identity.ts';
import type { Caller } from '../operations.ts';
import type { ServedKind } from '../served-kind.ts';
import type { Service } from '../service.ts';
import { statusOf } from '../status.ts';
import type { ApiMetrics } from './api-metrics.ts';
import { type RequestPath, parseRequestPath } from './request-path.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { serveResource } from './serve-resource.ts';
import { sendError } from './respond.ts';
import type { StaticPages } from './static-pages.ts';

export interface ApiLimits {
  readonly maxBodyBytes: number;
  readonly maxBufferedWatchBytes: number;
  /** A watch without timeoutSeconds ends after this to twice this. */
  readonly watchTimeoutMs: number;
}

export interface HttpHandlerInit {
  readonly kinds: readonly ServedKind[];
  readonly service: Service;
  readonly engine: Engine;
  readonly gate: Gate;
  readonly access: AccessControl;
  readonly pages: StaticPages;
  readonly connectHandlers: Readonly<Record<string, ConnectHandler>>;
  /** Who sends a request; throws `unauthorized` on credentials that are not valid. */
  readonly authenticate: (request: IncomingMessage) => Identity;
  readonly metrics: ApiMetrics;
  readonly limits: ApiLimits;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly stop: AbortSignal;
}

type ResourcePath = Extract<RequestPath, { kind: 'resource' }>;

const maxHeaderText = 256;

/** The API over HTTP. */
export class HttpHandler {
  readonly #init: HttpHandlerInit;
  readonly #kinds: ReadonlyMap<string, ServedKind>;

  constructor(init: HttpHandlerInit) {
    this.#init = init;
    this.#kinds = new Map(
      init.kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]),
    );
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response).catch((error: unknown) => {
      const status = sendError(response, error);
      this.#logFailure(status.code, request, error);
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', (error) => {
      this.#init.log.debug('upgraded connection failed', { error });
    });
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      refuseUpgrade(socket, statusOf(error));
      this.#logFailure(statusOf(error).code, request, error);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query] = split(request.url ?? '/');
    const identity = this.#init.authenticate(request);
    const target = parseRequestPath(path);
    if (target === undefined) throw badRequest(`the path ${path.slice(0, 256)} is not well-formed`);
    const caller = callerOf(request, identity);
    if (target.kind === 'other') {
      await this.#init.pages.serve(request, response, { path, identity });
      return;
    }
    const kind = this.#kinds.get(`${target.group}/${target.version}/${target.plural}`);
    if (kind === undefined) {
      await this.#init.pages.review(request, response, { target, identity });
      return;
    }
    const handler = this.#connectHandler(target);
    if (handler === undefined) {
      await serveResource(this.#init, { request, response, target, kind, caller, query });
      return;
    }
    if (handler.handle === undefined) {
      throw badRequest(`${target.plural}/${target.subresource} needs a WebSocket`);
    }
    const connect = await this.#connect(request, { target, kind, caller, query, handler });
    await handler.handle(connect, response);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const [path, query] = split(request.url ?? '/');
    const identity = this.#init.authenticate(request);
    const target = parseRequestPath(path);
    if (target?.kind !== 'resource') throw apiError('not_found', `nothing to upgrade at ${path}`);
    const kind = this.#kinds.get(`${target.group}/${target.version}/${target.plural}`);
    const handler = this.#connectHandler(target);
    if (kind === undefined || handler?.upgrade === undefined) {
      throw apiError('not_found', `nothing to upgrade at ${path}`);
    }
    const caller = callerOf(request, identity);
    const connect = await this.#connect(request, { target, kind, caller, query, handler });
    await handler.upgrade(connect, socket, head);
  }

  #connectHandler({ plural, name, subresource }: ResourcePath): ConnectHandler | undefined {
    if (name === undefined || subresource === undefined) return undefined;
    const key = `${plural}/${subresource}`;
    const { connectHandlers } = this.#init;
    return Object.hasOwn(connectHandlers, key) ? connectHandlers[key] : undefined;
  }

  /** Decides about a stream, finds its object and notes it in the audit log. */
  async #connect(
    request: IncomingMessage,
    about: {
      readonly target: ResourcePath;
      readonly kind: ServedKind;
      readonly caller: Caller;
      readonly query: URLSearchParams;
      readonly handler: ConnectHandler;
    },
  ): Promise<ConnectRequest> {
    const { gate, engine, stop } = this.#init;
    const { kind, caller, query, handler } = about;
    const { name = '', subresource = '', namespace } = about.target;
    const target = {
      caller,
      kind,
      namespace,
      name,
      subresource,
      verb: handler.verb,
      detail: handler.detail?.(query),
    };
    await gate.check(target);
    const { object } = engine.get(kind, namespace, name);
    await gate.note(target);
    const closed = new AbortController();
    request.socket.once('close', () => {
      closed.abort(new TaplineError('stopped', 'the connection closed'));
    });
    const signal = AbortSignal.any([closed.signal, stop]);
    return { identity: caller.identity, object, subresource, query, request, signal };
  }

  #logFailure(code: number, request: IncomingMessage, error: unknown): void {
    if (code < 500) return;
    this.#init.log.error('request failed', {
      method: request.method,
      // Without the query: an exec's command may hold what is nobody's business.
      path: split(request.url ?? '')[0].slice(0, maxHeaderText),
      error: errorMessage(error),
    });
  }
}

function split(url: string): readonly [path: string, query: URLSearchParams] {
  const mark = url.indexOf('?');
  return mark === -1
    ? [url, new URLSearchParams()]
    : [url.slice(0, mark), new URLSearchParams(url.slice(mark + 1))];
}

function callerOf(request: IncomingMessage, identity: Identity): Caller {
  const { headers, socket } = request;
  const userAgent = headers['user-agent'];
  const reason = headers['x-tapline-reason'];
  return {
    identity,
    ...(userAgent === undefined ? {} : { userAgent: userAgent.slice(0, maxHeaderText) }),
    ...(typeof reason === 'string' ? { reason: reason.slice(0, maxHeaderText) } : {}),
    ...(socket.remoteAddress === undefined ? {} : { sourceAddress: socket.remoteAddress }),
  };
}
