import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type Clock,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Device, deviceResource } from '@tapline/resources';
import {
  BufferPool,
  closeError,
  CloseCode,
  defaultLimits,
  type OpenOptions,
  type Session as Tunnel,
  TunnelServer,
  type TunnelStream,
} from '@tapline/tunnel';
import { assertDeviceKey } from './assert-device-key.ts';
import { createAdmission } from './admission.ts';
import { type ControlPlaneService, httpStreams, parseService } from './control-plane-service.ts';
import { type DevicePeer, devicePeer } from './device-peer.ts';
import { deviceUnknown } from './enrolment.ts';
import type { DeviceStream } from './forward/forward-gateway.ts';
import { keyFingerprint } from './enrolment-proof.ts';
import { errorAnswer } from './error-body.ts';
import { createPresenceWriter, type Presence } from './presence-writer.ts';
import { type BegunCall, beginCall } from './rpc/begin-call.ts';
import { createDeviceCalls, type DeviceCalls } from './rpc/create-device-calls.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { reportedStatus } from './reported-status.ts';
import {
  type DeviceMessage,
  maxMessageBytes,
  parseDeviceMessage,
  type ServerMessage,
  streamNames,
} from './session-messages.ts';
import type { StreamSocket } from './stream-socket.ts';
import { createTunnelAcceptor } from './tunnel/accept-tunnel.ts';
import { createMessageStream } from './tunnel/message-stream.ts';
import { tunnelPath } from './tunnel/tunnel-path.ts';
import { type TunnelPeer, TunnelSocket } from './tunnel/tunnel-socket.ts';

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
}

interface Session {
  readonly device: string;
  readonly tunnel: Tunnel;
  readonly calls: DeviceCalls;
  readonly messages: StreamSocket;
  epoch: number;
  since: string;
  connected: boolean;
  report: Presence['reported'];
}

/** What is known of a device with one key, while it has tunnels. */
interface Peer {
  readonly name: string;
  device: Device;
  shown: TunnelPeer;
  readonly tunnels: Set<Tunnel>;
}

type Hello = Extract<DeviceMessage, { kind: 'hello' }>;

/** A handshake costs a core about a millisecond, and everything else goes on meanwhile. */
const admittedPerSecond = 400;
/** A device has one; more are connections that it has lost and does not know of yet. */
const maxTunnelsPerDevice = 8;

export function createSessionHub(init: {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Serves a connection of a device to the HTTP server; without it there is none. */
  readonly serveHttp?: (socket: TunnelSocket, service: ControlPlaneService) => void;
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
  const sessions = new Map<string, Session>();
  const epochs = new Map<string, number>();
  const peers = new Map<string, Peer>();
  const server = new TunnelServer({
    clock,
    limits: { ...defaultLimits, keepaliveMs: pingIntervalMs },
    pool: new BufferPool({ most: 256 }),
    newToken: () => randomBytes(32),
    onSession: take,
  });
  const acceptor = createTunnelAcceptor({ server, clock });
  const admission = createAdmission({ perSecond: admittedPerSecond, burst: admittedPerSecond });
  const forgetting = forgetVanished();

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const { pathname } = new URL(request.url ?? '/', 'https://gateway');
      if (pathname !== tunnelPath) {
        throw new TaplineError('not_found', `nothing is served at ${pathname}`);
      }
      const peer = devicePeer(request);
      admission.admit(clock.monotonic());
      const device = await knownDevice(peer);
      acceptor.accept({ request, socket, head }, remember(peer, device));
    } catch (error) {
      if (!isTaplineError(error)) log.error('upgrade failed', { error });
      refuseUpgrade(socket, errorAnswer(error));
    }
  }

  /** The Device of a peer whose key is still the one that it enrolled with. */
  async function knownDevice(peer: DevicePeer): Promise<Device> {
    let device: Device;
    try {
      device = await client.get(deviceResource, peer.device);
    } catch (error) {
      throw isTaplineError(error, 'not_found') ? deviceUnknown(peer.device) : error;
    }
    assertDeviceKey(device, peer.publicKey);
    return device;
  }

  /** Who a tunnel is of: a device with one key. With another key it comes back to nothing. */
  function remember({ device: name, publicKey, certificate }: DevicePeer, device: Device): string {
    const principal = `${name} ${keyFingerprint(publicKey)}`;
    const shown = { authorized: true, certificate };
    const known = peers.get(principal);
    if (known === undefined) peers.set(principal, { name, device, shown, tunnels: new Set() });
    else Object.assign(known, { device, shown });
    return principal;
  }

  function take(tunnel: Tunnel, principal: string): void {
    const peer = peers.get(principal);
    if (peer === undefined) throw closeError(CloseCode.Unauthorized, 'the device is not known');
    if (peer.tunnels.size >= maxTunnelsPerDevice) {
      throw closeError(
        CloseCode.TooManySessions,
        `${peer.name} has ${peer.tunnels.size} tunnels, the most is ${maxTunnelsPerDevice}`,
      );
    }
    peer.tunnels.add(tunnel);
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
      } else if (init.takeForwarded?.(stream, tunnel) !== true) {
        stream.reset(CloseCode.Refused, `nothing is served as ${name}`);
      }
    });
    tunnel.onConnection((connected) => {
      if (state.session === undefined) return;
      if (connected) comeBack(state.session);
      else lose(state.session);
    });
    tunnel.closed.addEventListener(
      'abort',
      () => {
        peer.tunnels.delete(tunnel);
        if (peer.tunnels.size === 0) peers.delete(principal);
        if (state.session !== undefined) lose(state.session);
      },
      { once: true },
    );
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
    const { name } = peer;
    const messages = createMessageStream(stream, { maxBytes: maxMessageBytes });
    let session: Session | undefined;
    try {
      for await (const bytes of messages.messages) {
        const message = parseDeviceMessage(new TextDecoder().decode(bytes));
        if (message === undefined) continue;
        if (session !== undefined) takeReport(session, message);
        else if (message.kind === 'hello') {
          session = begin(peer, { tunnel, messages, hello: message });
          begun(session);
          await announce(session);
        }
      }
    } catch (error) {
      log.warn('session ended by a message', { device: name, error: errorMessage(error) });
      tunnel.close(CloseCode.Protocol, 'message invalid');
    }
  }

  function begin(
    peer: Peer,
    parts: { readonly tunnel: Tunnel; readonly messages: StreamSocket; readonly hello: Hello },
  ): Session {
    const { tunnel, messages, hello } = parts;
    const { name } = peer;
    const older = sessions.get(name);
    const session: Session = {
      device: name,
      tunnel,
      calls: createDeviceCalls(name, tunnel),
      messages,
      epoch: nextEpoch(name, peer.device),
      since: new Date(clock.now()).toISOString(),
      connected: true,
      report: {
        ...reportedStatus(hello.report),
        clockSkewSeconds: Math.round((hello.now - clock.now()) / 10) / 100,
      },
    };
    sessions.set(name, session);
    older?.tunnel.close(CloseCode.Superseded, 'a newer session is open');
    return session;
  }

  function nextEpoch(name: string, device?: Device): number {
    const epoch = Math.max(device?.status?.presence?.epoch ?? 0, epochs.get(name) ?? 0) + 1;
    epochs.set(name, epoch);
    return epoch;
  }

  /** The epoch is on disk before the device hears of it: no restart hands it out again. */
  async function announce(session: Session): Promise<void> {
    const { epoch } = session;
    const outcome = await presence.write(session.device, presenceOf(session));
    if (session.epoch !== epoch || !session.connected) return;
    if (outcome !== 'written' || sessions.get(session.device) !== session) {
      session.tunnel.close(CloseCode.Superseded, 'a newer session is open');
      return;
    }
    await send(session.messages, { kind: 'welcome', epoch, serverTime: clock.now() });
  }

  /** On another connection: the streams are the same, and presence has the next epoch. */
  function comeBack(session: Session): void {
    if (sessions.get(session.device) !== session) return;
    session.epoch = nextEpoch(session.device);
    session.since = new Date(clock.now()).toISOString();
    session.connected = true;
    announce(session).catch((error: unknown) => {
      if (stopping.signal.aborted) return;
      log.warn('a device that came back was not told', { device: session.device, error });
    });
  }

  /** Idempotent. An older session says nothing about presence: only the newest one counts. */
  function lose(session: Session): void {
    const isNewest = sessions.get(session.device) === session;
    if (session.tunnel.closed.aborted && isNewest) sessions.delete(session.device);
    if (!session.connected) return;
    session.connected = false;
    if (isNewest && !stopping.signal.aborted) note(session);
  }

  function takeReport(session: Session, message: DeviceMessage): void {
    if (message.kind !== 'report') return;
    session.report = { ...session.report, ...reportedStatus(message.report) };
    if (session.connected && sessions.get(session.device) === session) note(session);
  }

  /** Writes presence without anybody waiting for it. */
  function note(session: Session): void {
    presence.write(session.device, presenceOf(session)).catch((error: unknown) => {
      if (!stopping.signal.aborted) log.error('presence lost', { device: session.device, error });
    });
  }

  function presenceOf({ epoch, since, connected, report }: Session): Presence {
    const changed = connected ? since : new Date(clock.now()).toISOString();
    return { epoch, connected, since: changed, reported: report };
  }

  function openInTunnel(device: string, options: OpenOptions): DeviceStream {
    const tunnel = sessions.get(device)?.tunnel;
    if (tunnel === undefined) {
      throw new TaplineError('device_offline', `device ${device} is not connected`);
    }
    return { tunnel, stream: tunnel.open(options) };
  }

  async function call<T>(
    device: string,
    start: StartCall<T>,
    { signal }: CallOptions = {},
  ): Promise<BegunCall<T>> {
    const session = sessions.get(device);
    if (session?.connected !== true) {
      throw new TaplineError('device_offline', `device ${device} is not connected`);
    }
    return await beginCall({
      device,
      start: (options) => start(session.calls, options),
      clock,
      timeoutMs: answerTimeoutMs,
      signal,
    });
  }

  /** What a control plane that was killed left connected, and nobody has come back for. */
  async function forgetVanished(): Promise<void> {
    if (!(await pause(returnGraceMs))) return;
    try {
      const { items } = await client.list(deviceResource);
      for (const device of items) {
        const { name } = device.metadata;
        const stored = device.status?.presence;
        if (stored?.connected !== true || sessions.has(name)) continue;
        const since = new Date(clock.now()).toISOString();
        await presence.write(name, { epoch: stored.epoch, connected: false, since, reported: {} });
      }
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
      const session = sessions.get(device);
      return session?.connected === true ? session : undefined;
    },
    disconnect(device) {
      for (const { name, tunnels } of peers.values()) {
        if (name !== device) continue;
        for (const tunnel of tunnels) {
          tunnel.close(CloseCode.Unauthorized, 'the device has another key, or is deleted');
        }
      }
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('device_offline', 'the gateway is stopping'));
      server.close(CloseCode.GoingAway, 'the gateway is stopping');
      acceptor[Symbol.dispose]();
      await forgetting;
      await presence[Symbol.asyncDispose]();
    },
  };
}

function send(socket: StreamSocket, message: ServerMessage): Promise<void> {
  return socket.send(new TextEncoder().encode(JSON.stringify(message)));
}
