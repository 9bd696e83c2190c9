import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, isTaplineError, type Rng, silentLog, TaplineError } from '@tapline/base';
import {
  BufferPool,
  CloseCode,
  defaultLimits,
  keepTunnel,
  type Session,
  type StreamClass,
  type TunnelStream,
} from '@tapline/tunnel';
import { ownAddresses } from '../tunnel/watch-own-address.ts';
import { createConnectionGate } from '../tunnel/connection-gate.ts';
import { type DialInit, dialTunnel } from '../tunnel/dial-tunnel.ts';
import { ForwardCode, forwardError } from './forward-code.ts';
import { type ForwardRequest, forwardQuery } from './forward-request.ts';
import { decodeListener, encodePort, forwardStreams } from './forward-streams.ts';
import { joinSocket } from './join-socket.ts';

/** One port here and one of the device. */
export interface PortPair {
  /** 0, where it is listened at here, is a free one. */
  readonly here: number;
  readonly device: number;
}

export interface ForwardInit extends Pick<DialInit, 'server' | 'tls' | 'headers' | 'errorOf'> {
  /** Of the API, up to the query. */
  readonly path: string;
  readonly direction: ForwardRequest['direction'];
  readonly pairs: readonly PortPair[];
  readonly streamClass: Exclude<StreamClass, 'control'>;
  /** Where it is listened: called once for each pair, and in the other direction after each outage. */
  readonly onListening: (pair: PortPair) => void;
  /** A connection that came to nothing, or an outage; others go on. */
  readonly onProblem: (pair: PortPair | undefined, error: unknown) => void;
  readonly clock: Clock;
  readonly rng: Rng;
}

export interface Forward extends AsyncDisposable {
  /** Rejects when nothing can come of it any more; otherwise it goes on until it is disposed. */
  readonly failed: Promise<never>;
}

const host = '127.0.0.1';
const againMs = 1000;
const finalCodes = ['forbidden', 'unauthorized', 'not_found', 'bad_request'];

/**
 * A user's end of a forward. Connections live as long as the sessions of both tunnels: they bear a change
 * of networks at either end.
 */
export function openForward(init: ForwardInit): Forward {
  const { clock, direction, pairs } = init;
  const stopping = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const gate = createConnectionGate({
    ready: () => (tunnel.session.connected ? tunnel.session : undefined),
    clock,
    host: init.server.host,
    signal: stopping.signal,
  });
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const listening = new Map<number, PortPair>();
  const ports = pairs.map(({ device }) => device);
  const dial = dialTunnel({
    ...init,
    addresses: ownAddresses,
    path: `${init.path}?${forwardQuery({ direction, ports }).toString()}`,
  });
  let begun = false;

  const tunnel = keepTunnel({
    async dial(begin, signal) {
      try {
        await dial(begin, signal);
      } catch (error) {
        const isFinal = finalCodes.some((code) => isTaplineError(error, code));
        if (!begun || isFinal) failed.reject(error);
        else if (!stopping.signal.aborted) init.onProblem(undefined, error);
        throw error;
      }
    },
    onSession(session) {
      session.onStream((stream) => void report(take(stream), listening.get(listenerOf(stream))));
      session.onConnection((connected) => {
        if (!connected) return;
        gate.open();
        if (!begun) void start();
        begun = true;
      });
    },
    clock,
    rng: init.rng,
    // What there is to say is said by `onProblem`.
    log: silentLog,
    limits: defaultLimits,
    pool: new BufferPool({ most: 8 }),
  });

  async function start(): Promise<void> {
    const work = direction === 'connect' ? listenHere : listenThere;
    try {
      await Promise.all(pairs.map(work));
    } catch (error) {
      if (!stopping.signal.aborted) failed.reject(error);
    }
  }

  async function report(work: Promise<void>, pair: PortPair | undefined): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!stopping.signal.aborted) init.onProblem(pair, forwardError(error));
    }
  }

  async function listenHere(pair: PortPair): Promise<void> {
    const server = createServer({ allowHalfOpen: true });
    servers.push(server);
    server.on('connection', (socket) => void report(carry(keep(socket), pair), pair));
    server.listen(pair.here, host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw new TaplineError('listen_failed', `cannot listen at ${host} port ${pair.here}`, {
        cause,
        hint: 'choose another port, or 0 for a free one',
      });
    }
    init.onListening({ ...pair, here: (server.address() as AddressInfo).port });
  }

  async function carry(socket: Socket, pair: PortPair): Promise<void> {
    let stream: TunnelStream;
    try {
      stream = open(await gate.pass(), pair, forwardStreams.connect);
    } catch (error) {
      socket.on('error', () => undefined).resetAndDestroy();
      throw error;
    }
    await joinSocket(stream, socket);
  }

  /** Has the device listen for as long as this goes on; a device that was away is asked again. */
  async function listenThere(pair: PortPair): Promise<void> {
    let hasListened = false;
    for (;;) {
      let stream: TunnelStream | undefined;
      try {
        stream = open(await gate.pass(), pair, forwardStreams.listen);
        listening.set(stream.id, pair);
        if ((await stream.read()) === undefined) throw offline();
        hasListened = true;
        init.onListening(pair);
        await stream.read();
        throw offline();
      } catch (cause) {
        stopping.signal.throwIfAborted();
        const error = forwardError(cause);
        if (isTaplineError(error, 'forward_denied') || !hasListened) throw error;
        init.onProblem(pair, error);
      } finally {
        if (stream !== undefined) listening.delete(stream.id);
      }
      await clock.sleep(againMs, { signal: stopping.signal });
    }
  }

  function open(session: Session, pair: PortPair, name: string): TunnelStream {
    return session.open({ class: init.streamClass, name, header: encodePort(pair.device) });
  }

  async function take(stream: TunnelStream): Promise<void> {
    const pair = listening.get(listenerOf(stream));
    if (pair === undefined) return stream.reset(CloseCode.Refused, 'nobody listens there');
    const socket = keep(connect({ host, port: pair.here, allowHalfOpen: true }));
    try {
      await once(socket, 'connect');
    } catch (cause) {
      stream.reset(ForwardCode.PortClosed, 'nothing listens at the other end');
      throw new TaplineError(
        'forward_port_closed',
        `nothing listens at ${host} port ${pair.here}`,
        {
          cause,
        },
      );
    }
    await joinSocket(stream, socket);
  }

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket));
  }

  return {
    failed: failed.promise,
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('interrupted', 'stopped'));
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
      await tunnel[Symbol.asyncDispose]();
    },
  };
}

function listenerOf({ opening }: TunnelStream): number {
  return opening.name === forwardStreams.accepted ? decodeListener(opening.header) : -1;
}

function offline(): TaplineError {
  return new TaplineError('device_offline', 'the device stopped listening');
}
