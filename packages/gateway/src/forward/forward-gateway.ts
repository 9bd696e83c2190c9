import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Clock, errorMessage, isTaplineError, type Log } from '@tapline/base';
import {
  BufferPool,
  closeError,
  CloseCode,
  defaultLimits,
  type OpenOptions,
  TunnelServer,
  type TunnelSession,
  type TunnelStream,
} from '@tapline/tunnel';
import type { InstallConnect } from '../install-connect-handlers.ts';
import { createTunnelAcceptor } from '../tunnel/accept-tunnel.ts';
import { ForwardCode, passOn } from './forward-code.ts';
import {
  type ForwardRequest,
  formatForwardRequest,
  parseForwardRequest,
} from './forward-request.ts';
import { decodeListener, decodePort, encodeListener, forwardStreams } from './forward-streams.ts';
import { joinStreams } from './join-streams.ts';

/** A stream to a device, and the tunnel that it is in. */
export interface DeviceStream {
  readonly tunnel: object;
  readonly stream: TunnelStream;
}

/** Where users' forwards and devices' tunnels meet. */
export interface ForwardGateway extends Disposable {
  readonly handlers: Readonly<Record<'devices/portforward', ForwardHandler>>;
  /** Takes a stream by which a device hands over a connection; false where it is none. */
  accepted(stream: TunnelStream, tunnel: object): boolean;
}

/** An upgrade that an API server hands over: authenticated, authorised, and about this Device. */
export interface ForwardConnect extends InstallConnect {
  readonly identity: { readonly user: string };
}

export interface ForwardHandler {
  readonly verb: 'create';
  /** What was asked for, for the audit log; undefined where that is not valid. */
  readonly detail: (query: URLSearchParams) => string | undefined;
  readonly upgrade: (connect: ForwardConnect, socket: Duplex, head: Buffer) => Promise<void>;
}

interface Forward {
  readonly device: string;
  readonly request: ForwardRequest;
}

interface Listener {
  readonly device: string;
  readonly user: TunnelSession;
  /** Its stream in the user's tunnel. */
  readonly id: number;
}

/** Of a device, by all users: what is left of its streams is for exec and logs. */
const maxConnectionsPerDevice = 128;
const maxSessions = 1024;

const userGone = { code: ForwardCode.ConnectionReset, reason: 'the user went away' } as const;

/**
 * Serves `devices/portforward`: an upgrade to a tunnel between user and gateway, with a stream for each
 * connection. Which ports, and which way, is said with the request and holds for all of them.
 */
export function createForwardGateway(init: {
  /** Opens a stream in the newest tunnel of a device. Throws `device_offline`. */
  readonly openStream: (device: string, options: OpenOptions) => DeviceStream;
  readonly clock: Clock;
  readonly log: Log;
}): ForwardGateway {
  const { clock, log } = init;
  const connections = new Map<string, number>();
  const listeners = new WeakMap<object, Map<number, Listener>>();
  const server = new TunnelServer({
    clock,
    limits: defaultLimits,
    pool: new BufferPool({ most: 32 }),
    newToken: () => randomBytes(32),
    onSession: begin,
    maxSessions,
  });
  const acceptor = createTunnelAcceptor({ server, clock });

  function begin(user: TunnelSession, principal: string): void {
    const forward = forwardOf(principal);
    user.onStream((stream) => {
      serve(stream, user, forward).catch((error: unknown) => {
        const reason = errorMessage(error).slice(0, 200);
        log.debug('a forward ended', { device: forward.device, reason });
        passOn(error, stream, { code: ForwardCode.DeviceOffline, reason });
      });
    });
  }

  async function serve(stream: TunnelStream, user: TunnelSession, forward: Forward): Promise<void> {
    const { device, request } = forward;
    const { name, header } = stream.opening;
    const listens = name === forwardStreams.listen;
    if (!listens && name !== forwardStreams.connect) {
      return stream.reset(CloseCode.Refused, `nothing is served as ${name}`);
    }
    const port = decodePort(header);
    const wanted = listens ? 'listen' : 'connect';
    if (request.direction !== wanted || !request.ports.includes(port)) {
      return stream.reset(ForwardCode.Denied, `to ${wanted} ${port} is not what was asked for`);
    }
    const release = count(device);
    try {
      const own = init.openStream(device, { class: classOf(stream), name, header });
      const ids = listenersOf(own.tunnel);
      if (listens) ids.set(own.stream.id, { device, user, id: stream.id });
      await joinStreams(stream, own.stream);
      ids.delete(own.stream.id);
    } finally {
      release();
    }
  }

  async function handOver(stream: TunnelStream, listener: Listener): Promise<void> {
    const release = count(listener.device);
    try {
      const { name } = stream.opening;
      const header = encodeListener(listener.id);
      await joinStreams(listener.user.open({ class: classOf(stream), name, header }), stream);
    } finally {
      release();
    }
  }

  function listenersOf(tunnel: object): Map<number, Listener> {
    const known = listeners.get(tunnel) ?? new Map<number, Listener>();
    listeners.set(tunnel, known);
    return known;
  }

  /** One more until what it answers is called. Throws `too_many_streams`. */
  function count(device: string): () => void {
    const open = connections.get(device) ?? 0;
    if (open >= maxConnectionsPerDevice) {
      throw closeError(
        CloseCode.TooManyStreams,
        `device ${device} has ${open} forwarded connections, the most is ${maxConnectionsPerDevice}`,
      );
    }
    connections.set(device, open + 1);
    return () => {
      const left = (connections.get(device) ?? 1) - 1;
      if (left === 0) connections.delete(device);
      else connections.set(device, left);
    };
  }

  return {
    handlers: {
      'devices/portforward': {
        verb: 'create',
        detail,
        upgrade({ object, query, identity, request }, socket, head) {
          const forward = { device: object.metadata.name, request: parseForwardRequest(query) };
          acceptor.accept({ request, socket, head }, principalOf(identity.user, forward));
          return Promise.resolve();
        },
      },
    },
    accepted(stream, tunnel) {
      const { name, header } = stream.opening;
      if (name !== forwardStreams.accepted) return false;
      const listener = listenersOf(tunnel).get(decodeListener(header));
      if (listener === undefined) stream.reset(userGone.code, 'nobody listens there any more');
      else {
        handOver(stream, listener).catch((error: unknown) => passOn(error, stream, userGone));
      }
      return true;
    },
    [Symbol.dispose]() {
      server.close(CloseCode.GoingAway, 'the gateway is stopping');
      acceptor[Symbol.dispose]();
    },
  };
}

function detail(query: URLSearchParams): string | undefined {
  try {
    return formatForwardRequest(parseForwardRequest(query));
  } catch (error) {
    // It is answered with why, to those who may ask at all.
    if (isTaplineError(error, 'bad_request')) return undefined;
    throw error;
  }
}

/** A tunnel is come back to by the same user for the same: what was authorised then is now, too. */
function principalOf(user: string, { device, request }: Forward): string {
  return JSON.stringify([user, device, request]);
}

function forwardOf(principal: string): Forward {
  const [, device, request] = JSON.parse(principal) as [string, string, ForwardRequest];
  return { device, request };
}

/** Nobody's connection goes before what keeps the session alive. */
function classOf({ opening }: TunnelStream): 'interactive' | 'bulk' {
  return opening.class === 'interactive' ? 'interactive' : 'bulk';
}
