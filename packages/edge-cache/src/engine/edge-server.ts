import { readFile } from 'node:fs/promises';
import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from 'node:tls';
import { type Clock, type Log, TaplineError } from '@tapline/base';
import { Http1Connection, type Http1Limits } from '../http1/http1-connection.ts';
import type { Handle } from './exchange.ts';
import { handleHttp2Stream } from './http2-responder.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface TlsFiles {
  /** PEM, the chain from the server's own on. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface EdgeServerInit {
  readonly handle: Handle;
  readonly listen: ListenAddress;
  readonly tls: (ListenAddress & TlsFiles) | undefined;
  readonly maxConnections: number;
  readonly limits: Http1Limits;
  readonly clock: Clock;
  readonly log: Log;
}

const sweepMs = 500;
const drainMs = 5000;
const readBytes = 64 * 1024;

/** The sockets of an edge: HTTP/1.1, and beside it TLS with HTTP/1.1 and HTTP/2. */
export class EdgeServer implements AsyncDisposable {
  readonly #init: EdgeServerInit;
  readonly #connections = new Set<Http1Connection>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #servers: Server[] = [];
  readonly #stopped = new AbortController();
  /** A read is over before the next one begins, of whatever connection. */
  readonly #readBuffer: Buffer = Buffer.allocUnsafeSlow(readBytes);
  #tls: TlsServer | undefined;
  port = 0;
  tlsPort: number | undefined;

  private constructor(init: EdgeServerInit) {
    this.#init = init;
  }

  static async start(init: EdgeServerInit): Promise<EdgeServer> {
    const server = new EdgeServer(init);
    try {
      await server.#open();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Takes up the certificate and key that are in the files now; connections that are open stay. */
  async reloadCertificate(): Promise<void> {
    const { tls } = this.#init;
    if (tls === undefined || this.#tls === undefined) return;
    this.#tls.setSecureContext(await readCertificate(tls));
  }

  /** Takes no new connections and ends after the answers under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    );
    for (const connection of this.#connections) connection.close();
    for (const session of this.#sessions) session.close();
    const { clock } = this.#init;
    const late = new AbortController();
    const cut = this.#cutAfter(clock, late.signal);
    await Promise.all(closed);
    late.abort();
    await cut;
  }

  async #cutAfter(clock: Clock, signal: AbortSignal): Promise<void> {
    try {
      await clock.sleep(drainMs, { signal });
    } catch {
      // All ended in time.
      return;
    }
    for (const connection of this.#connections) connection.destroy();
    for (const session of this.#sessions) session.destroy();
  }

  async #open(): Promise<void> {
    const { listen, tls, clock } = this.#init;
    const plain = createNetServer(
      { noDelay: true, allowHalfOpen: true, pauseOnConnect: true },
      (socket) => this.#accept(socket, false),
    );
    this.port = await this.#listen(plain, listen);
    if (tls !== undefined) {
      const secure = createTlsServer({
        ...(await readCertificate(tls)),
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['h2', 'http/1.1'],
        noDelay: true,
        handshakeTimeout: this.#init.limits.headMs,
      });
      secure.on('secureConnection', (socket) => this.#acceptSecure(socket));
      this.#tls = secure;
      this.tlsPort = await this.#listen(secure, tls);
    }
    void this.#sweep(clock);
  }

  async #sweep(clock: Clock): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      // Ends by the abort, which is no failure.
      await clock.sleep(sweepMs, { signal }).catch(() => undefined);
      const now = clock.monotonic();
      for (const connection of this.#connections) connection.sweep(now);
    }
  }

  #accept(socket: Socket, secure: boolean): void {
    const { maxConnections, handle, limits, log, clock } = this.#init;
    if (this.#connections.size >= maxConnections) {
      socket.destroy();
      return;
    }
    const connection = new Http1Connection(
      { socket, handle, limits, secure, log, ...(!secure && { readBuffer: this.#readBuffer }) },
      clock.monotonic(),
    );
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }

  #acceptSecure(socket: TLSSocket): void {
    if (socket.alpnProtocol !== 'h2') {
      this.#accept(socket, true);
      return;
    }
    const { handle, maxConnections } = this.#init;
    if (this.#sessions.size >= maxConnections) {
      socket.destroy();
      return;
    }
    const session = performServerHandshake(socket, {
      maxSessionMemory: 10,
      settings: {
        maxConcurrentStreams: 128,
        maxHeaderListSize: this.#init.limits.maxHeadBytes,
        initialWindowSize: 1024 * 1024,
      },
    });
    this.#sessions.add(session);
    session.setTimeout(this.#init.limits.idleMs, () => session.close());
    session.on('error', () => session.destroy());
    session.once('close', () => this.#sessions.delete(session));
    session.on('stream', (stream, headers, flags) => {
      const hasBody = (flags & endStreamFlag) === 0;
      handleHttp2Stream(stream, headers, { handle, hasBody });
    });
  }

  #listen(server: Server, { host, port }: ListenAddress): Promise<number> {
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new TaplineError('listen_failed', `cannot listen on ${host}:${port}`, { cause })),
      );
      server.listen({ port, host, backlog: 1024 }, () => {
        const address = server.address();
        if (typeof address === 'object' && address !== null) resolve(address.port);
      });
    });
  }
}

/** RFC 9113 §6.2. */
const endStreamFlag = 1;

async function readCertificate(
  files: TlsFiles,
): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  const [cert, key] = await Promise.all([readFile(files.certificateFile), readFile(files.keyFile)]);
  return { cert, key };
}
