import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import {
  type Clock,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  BufferPool,
  CloseCode,
  defaultLimits,
  type OpenOptions,
  type Session as Tunnel,
  TunnelServer,
  type TunnelStream,
} from '@tapline/tunnel';
import { createAdmission } from './admission.ts';
import { type ControlPlaneService, httpStreams, parseService } from './control-plane-service.ts';
import { serveDeviceCalls } from './device-calls-served.ts';
import type { DeviceChallenges, SignedChallenge } from './device-challenges.ts';
import { type DevicePeer, devicePeer } from './device-peer.ts';
import { createDeviceSessions, type Session } from './device-sessions.ts';
import type { DeviceStream } from './forward/forward-gateway.ts';
import { errorAnswer } from './error-body.ts';
import { forgetVanished } from './forget-vanished.ts';
import { createPresenceWriter } from './presence-writer.ts';
import { type BegunCall, beginCall } from './rpc/begin-call.ts';
import { callStream } from './rpc/call-head.ts';
import type { DeviceCalls } from './rpc/create-device-calls.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { maxMessageBytes, parseDeviceMessage, streamNames } from './session-messages.ts';
import { createTunnelPeers, type Peer } from './tunnel-peers.ts';
import { createTunnelAcceptor } from './tunnel/accept-tunnel.ts';
import { createMessageStream } from './tunnel/message-stream.ts';
import { tunnelPath } from './tunnel/tunnel-path.ts';
import { type TunnelPeer, TunnelSocket } from './tunnel/tunnel-socket.ts';
import { parseWebSocketIdentity } from './tunnel/web-socket-identity.ts';

/** The newest session of a device. */
export interface DeviceSession {
  readonly epoch: number;
  /** RFC 3339. */
  readonly since: string;
}

/** Where devices' tunnels end: presence, streams to devices, and their way to the HTTP server. */
export interface SessionHub extends AsyncDisposable {
  /** Takes upgrades of `/gateway/v1/tunnel`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  session(device: string): DeviceSession | undefined;
  /**
   * Calls a device and waits for its first response. Errors: `device_offline`, `stream_refused` (with the
   * device's own code in details), `stream_timeout`, `too_many_streams`.
   */
  call<T>(device: string, start: StartCall<T>, options?: CallOptions): Promise<BegunCall<T>>;
  /**
   * Opens a stream in the newest tunnel of a device. One that is away for a moment gets it when it is
   * back. Throws `device_offline`.
   */
  openInTunnel(device: string, options: OpenOptions): DeviceStream;
  /** Ends the tunnels of a device that is not to have any now. */
  disconnect(device: string): void;
}

/** Makes a call; its options are to be passed on. */
export type StartCall<T> = (
  calls: DeviceCalls,
  options: { readonly signal: AbortSignal },
) => AsyncIterable<T>;

interface CallOptions {
  readonly signal?: AbortSignal;
  /** What is sent comes before the first response, and takes as long as it takes. */
  readonly isLong?: boolean;
}

export function createSessionHub(init: {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Knows devices that cannot show their certificates by TLS, as browsers' pages; without it none is let in. */
  readonly challenges?: Pick<DeviceChallenges, 'verify'>;
  /** Serves a connection of a device to the HTTP server; without it there is none. */
  readonly serveHttp?: (socket: TunnelSocket, service: ControlPlaneService) => void;
  /**
   * The API as who shows this certificate, for the calls of devices; without it there are none. Throws
   * `unauthorized` where its time is over.
   */
  readonly clientOf?: (certificate: PeerCertificate) => ResourceClient;
  /** Takes a connection that a device hands over for a user; false where the stream is none. */
  readonly takeForwarded?: (stream: TunnelStream, tunnel: object) => boolean;
  readonly pingIntervalMs?: number;
  /** For a device to say hello, and to answer a request for a stream. */
  readonly answerTimeoutMs?: number;
  /** After a start, how long devices have to come back before they count as disconnected. */
  readonly returnGraceMs?: number;
}): SessionHub {
  const { client, clock, log } = init;
  const { pingIntervalMs = 15_000, answerTimeoutMs = 10_000, returnGraceMs = 30_000 } = init;
  const stopping = new AbortController();
  const presence = createPresenceWriter(init);
  const sessions = createDeviceSessions({ presence, clock, log, stopping: stopping.signal });
  const { clientOf } = init;
  const calls = clientOf === undefined ? undefined : serveDeviceCalls({ sessions, clientOf });
  const peers = createTunnelPeers({ client });
  const server = new TunnelServer({
    clock,
    limits: { ...defaultLimits, keepaliveMs: pingIntervalMs },
    pool: new BufferPool({ most: 256 }),
    newToken: () => randomBytes(32),
    onSession: take,
  });
  const acceptor = createTunnelAcceptor({ server, clock });
  const admission = createAdmission();
  const forgetting = forget();

  function verified(signed: SignedChallenge): DevicePeer {
    if (init.challenges !== undefined) return init.challenges.verify(signed, { purpose: 'tunnel' });
    throw new TaplineError('unauthorized', 'a certificate is to be shown by TLS here');
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const signed = parseWebSocketIdentity(request.headers['sec-websocket-protocol']);
    try {
      const { pathname } = new URL(request.url ?? '/', 'https://gateway');
      if (pathname !== tunnelPath) {
        throw new TaplineError('not_found', `nothing is served at ${pathname}`);
      }
      const peer = signed === undefined ? devicePeer(request) : verified(signed);
      admission.admit(clock.monotonic());
      acceptor.accept({ request, socket, head }, await peers.authenticate(peer));
    } catch (error) {
      if (!isTaplineError(error)) log.error('upgrade failed', { error });
      const answer = errorAnswer(error);
      if (signed === undefined) return refuseUpgrade(socket, answer);
      const { status, body } = answer;
      const { code, retryAfterMs } = body;
      acceptor.refuseWebSocket({ request, socket, head }, { status, code, retryAfterMs });
    }
  }

  function take(tunnel: Tunnel, principal: string): void {
    const peer = peers.add(tunnel, principal);
    const state: { greeted: boolean; session: Session | undefined } = {
      greeted: false,
      session: undefined,
    };
    void expectHello(tunnel, () => state.session !== undefined);
    tunnel.onStream((stream) => {
      const { name } = stream.opening;
      if (name === streamNames.session && !state.greeted) {
        state.greeted = true;
        void converse(tunnel, { peer, stream, begun: (session) => (state.session = session) });
      } else if (name === httpStreams.device || name === httpStreams.guest) {
        serveHttp(stream, peer.shown);
      } else if (name === callStream && calls !== undefined) {
        calls.serve(stream, { tunnel, peer, session: () => state.session });
      } else if (init.takeForwarded?.(stream, tunnel) !== true) {
        stream.reset(CloseCode.Refused, `nothing is served as ${name}`);
      }
    });
    const lose = (): void => {
      if (state.session !== undefined) sessions.lose(state.session);
    };
    tunnel.onConnection((connected) => {
      if (!connected) lose();
      else if (state.session !== undefined) sessions.comeBack(state.session);
    });
    tunnel.closed.addEventListener('abort', lose, { once: true });
  }

  /** A guest has no certificate of the device's, and is limited as the device all the same. */
  function serveHttp(stream: TunnelStream, shown: TunnelPeer): void {
    const authorized = stream.opening.name === httpStreams.device;
    try {
      const service = parseService(stream.opening.header);
      init.serveHttp?.(new TunnelSocket(stream, { ...shown, authorized }), service);
      if (init.serveHttp === undefined) stream.reset(CloseCode.Refused, 'there is no server');
    } catch (error) {
      stream.reset(CloseCode.Refused, errorMessage(error));
    }
  }

  async function expectHello(tunnel: Tunnel, hasCome: () => boolean): Promise<void> {
    try {
      await clock.sleep(answerTimeoutMs, { signal: tunnel.closed });
    } catch {
      // It has ended before.
      return;
    }
    if (!hasCome()) tunnel.close(CloseCode.Timeout, `no hello within ${answerTimeoutMs} ms`);
  }

  async function converse(
    tunnel: Tunnel,
    parts: {
      readonly peer: Peer;
      readonly stream: TunnelStream;
      readonly begun: (session: Session) => void;
    },
  ): Promise<void> {
    const { peer, stream, begun } = parts;
    const { name, device } = peer;
    const messages = createMessageStream(stream, { maxBytes: maxMessageBytes });
    let session: Session | undefined;
    try {
      for await (const bytes of messages.messages) {
        const message = parseDeviceMessage(new TextDecoder().decode(bytes));
        if (message === undefined) continue;
        if (session !== undefined) {
          if (message.kind === 'report') sessions.report(session, message.report);
        } else if (message.kind === 'hello') {
          const start = { name, device, tunnel, messages, hello: message };
          const { session: started, announced } = sessions.begin(start);
          session = started;
          begun(started);
          await announced;
        }
      }
    } catch (error) {
      log.warn('session ended by a message', { device: name, error: errorMessage(error) });
      tunnel.close(CloseCode.Protocol, 'message invalid');
    }
  }

  function openInTunnel(device: string, options: OpenOptions): DeviceStream {
    const tunnel = sessions.newest(device)?.tunnel;
    if (tunnel === undefined) {
      throw new TaplineError('device_offline', `device ${device} is not connected`);
    }
    return { tunnel, stream: tunnel.open(options) };
  }

  async function call<T>(
    device: string,
    start: StartCall<T>,
    { signal, isLong = false }: CallOptions = {},
  ): Promise<BegunCall<T>> {
    const session = sessions.newest(device);
    if (session?.connected !== true) {
      throw new TaplineError('device_offline', `device ${device} is not connected`);
    }
    return await beginCall({
      device,
      start: (options) => start(session.calls, options),
      clock,
      ...(isLong ? {} : { timeoutMs: answerTimeoutMs }),
      signal,
    });
  }

  async function forget(): Promise<void> {
    if (!(await pause(returnGraceMs))) return;
    try {
      const isHere = (device: string): boolean => sessions.newest(device) !== undefined;
      await forgetVanished({ client, presence, isHere, clock });
    } catch (error) {
      if (!stopping.signal.aborted) log.error('vanished devices still show', { error });
    }
  }

  /** Whether time went by, rather than the hub being disposed. */
  async function pause(ms: number): Promise<boolean> {
    try {
      await clock.sleep(ms, { signal: stopping.signal });
      return true;
    } catch (error) {
      if (stopping.signal.aborted) return false;
      throw error;
    }
  }

  return {
    upgrade,
    call,
    openInTunnel,
    session(device) {
      const session = sessions.newest(device);
      return session?.connected === true ? session : undefined;
    },
    disconnect: (device) => peers.disconnect(device),
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('device_offline', 'the gateway is stopping'));
      server.close(CloseCode.GoingAway, 'the gateway is stopping');
      acceptor[Symbol.dispose]();
      await forgetting;
      await presence[Symbol.asyncDispose]();
    },
  };
}
