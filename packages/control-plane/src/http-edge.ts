import {
  createServer as createPlainServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { httpServerLimits } from '@tapline/apiserver';
import { type Clock, type Log, TaplineError } from '@tapline/base';
import type { CertificateAuthority, ControlPlaneService } from '@tapline/gateway';
import { type BodyLimit, boundRequest } from './bound-request.ts';
import { isForeignOrigin } from './is-foreign-origin.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;
type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** One part of the surface: everything below a path. */
export interface EdgeRoute {
  /** A path, or with a slash at its end everything below it; the longest match wins. */
  readonly path: string;
  readonly handle?: Handle;
  readonly upgrade?: Upgrade;
  /** What a request's body may take; 60 s as a whole where not given. */
  readonly body?: (request: IncomingMessage) => BodyLimit | undefined;
  /** By which name devices reach it in their tunnels; the API unless given. */
  readonly service?: ControlPlaneService;
}

export interface HttpEdgeInit {
  readonly authority: CertificateAuthority;
  readonly host: string;
  readonly port: number;
  /** Names and addresses for the server's certificate, beside the loopback ones. */
  readonly hosts: readonly string[];
  readonly routes: readonly EdgeRoute[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface HttpEdge extends AsyncDisposable {
  readonly port: number;
  /**
   * Cuts the connections that were made with a certificate for this user: what is open on them, as a
   * watch, was allowed when it began.
   */
  disconnect(user: string): void;
  /** Serves a connection that came within a device's tunnel to a service, and nothing but that. */
  accept(connection: Duplex, service: ControlPlaneService): void;
}

const day = 86_400_000;
const certificateLifetimeMs = 90 * day;
const renewAfterMs = 60 * day;

const metricsPath = '/metrics';

const defaultBody: BodyLimit = { kind: 'whole', ms: 60_000 };

/** How long requests under way may take to end when the server stops. */
const drainMs = 2000;
const drainStepMs = 10;

/** The control plane's one HTTPS server: what is mounted decides on who may do what. */
export async function startHttpEdge(init: HttpEdgeInit): Promise<HttpEdge> {
  const { authority, clock, hosts, log } = init;
  const routes = init.routes.toSorted((a, b) => b.path.length - a.path.length);
  const stopping = new AbortController();
  const socketsOf = new Map<string, Set<TLSSocket>>();
  const serviceOf = new WeakMap<Duplex, ControlPlaneService>();

  function identity(): { key: string; cert: string } {
    const issued = authority.issueServer({ hosts, lifetimeMs: certificateLifetimeMs });
    return { key: issued.privateKeyPem, cert: issued.certificatePem };
  }

  const context = { ca: authority.certificatePem, minVersion: 'TLSv1.2' } as const;
  const server = createServer({
    ...context,
    ...identity(),
    // Certificates are asked for, and judged by whoever handles the request: join tokens, access
    // tokens and probes come without one.
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...httpServerLimits,
    // Each route has its own, see boundRequest.
    requestTimeout: 0,
  });

  function routeOf(request: IncomingMessage): EdgeRoute | undefined {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const found = routes.find((route) =>
      route.path.endsWith('/')
        ? path.startsWith(route.path) || `${path}/` === route.path
        : path === route.path,
    );
    const service = serviceOf.get(request.socket);
    if (service === undefined) return found;
    if (service === 'metrics' && path === metricsPath) return found;
    return (found?.service ?? 'api') === service ? found : undefined;
  }

  // Without TLS: what it is given has come through TLS.
  const inner = createPlainServer({ ...httpServerLimits, requestTimeout: 0 });

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const route = routeOf(request);
    boundRequest(request, response, { limit: route?.body?.(request) ?? defaultBody, clock });
    if (isForeignOrigin(request)) refuse(response, 403, 'requests for other origins are refused\n');
    else if (route?.handle === undefined) refuse(response, 404, 'nothing is served here\n');
    else route.handle(request, response);
  }

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', (error) => log.debug('upgraded socket failed', { error }));
    const upgrade = routeOf(request)?.upgrade;
    const status = isForeignOrigin(request) ? '403 Forbidden' : '404 Not Found';
    if (upgrade === undefined || isForeignOrigin(request)) {
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    upgrade(request, socket, head);
  }

  server.on('request', onRequest);
  inner.on('request', onRequest);
  server.on('upgrade', onUpgrade);
  server.on('secureConnection', (socket) => {
    const user: unknown = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
    if (typeof user !== 'string') return;
    const sockets = socketsOf.get(user) ?? new Set();
    socketsOf.set(user, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0 && socketsOf.get(user) === sockets) socketsOf.delete(user);
    });
  });
  server.on('tlsClientError', (error) => log.debug('TLS handshake failed', { error }));
  function onClientError(error: Error, socket: Duplex): void {
    log.debug('request not understood', { error });
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
  }
  server.on('clientError', onClientError);
  inner.on('clientError', onClientError);

  async function renew(): Promise<void> {
    for (;;) {
      try {
        await clock.sleep(renewAfterMs, { signal: stopping.signal });
      } catch (error) {
        if (stopping.signal.aborted) return;
        throw error;
      }
      server.setSecureContext({ ...context, ...identity() });
      log.info('server certificate renewed');
    }
  }

  const port = await listen(server, init);
  const renewing = renew();
  return {
    port,
    disconnect(user) {
      for (const socket of socketsOf.get(user) ?? []) socket.destroy();
    },
    accept(connection, service) {
      serviceOf.set(connection, service);
      connection.on('error', (error) => log.debug('a connection in a tunnel failed', { error }));
      inner.emit('connection', connection);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('stopped', 'the server is stopping'));
      await renewing;
      const done = new AbortController();
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          done.abort();
          resolve();
        });
      });
      const deadlineMs = clock.monotonic() + drainMs;
      // Connections become idle one by one, as the requests on them end.
      while (!done.signal.aborted && clock.monotonic() < deadlineMs) {
        server.closeIdleConnections();
        await clock.sleep(drainStepMs);
      }
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function listen(
  server: ReturnType<typeof createServer>,
  { host, port }: Pick<HttpEdgeInit, 'host' | 'port'>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const hint = 'choose another port, or 0 for a free one';
      reject(
        new TaplineError('listen_failed', `cannot listen at ${host} port ${port}`, { cause, hint }),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
}
