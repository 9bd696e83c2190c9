import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, isTaplineError, type Log, type Rng, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Device, deviceResource } from '@tapline/resources';
import { type WebSocket, WebSocketServer } from 'ws';
import { assertDeviceKey } from './assert-device-key.ts';
import { type DevicePeer, devicePeer } from './device-peer.ts';
import { deviceUnknown } from './enrolment.ts';
import { errorAnswer } from './error-body.ts';
import { messageBytes } from './message-bytes.ts';
import { createPresenceWriter, type Presence } from './presence-writer.ts';
import { reportedStatus } from './reported-status.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import {
  type DeviceMessage,
  maxMessageBytes,
  parseDeviceMessage,
  type ServerMessage,
  sessionProtocol,
  type StreamRequest,
} from './session-messages.ts';
import { maxFrameBytes, streamProtocol } from './stream-frame.ts';
import { createStreamSocket, type StreamSocket } from './stream-socket.ts';

/** The newest session of a device. */
export interface DeviceSession {
  readonly epoch: number;
  /** RFC 3339. */
  readonly since: string;
}

/** Where devices' sessions end: presence, and streams to devices. */
export interface SessionHub extends AsyncDisposable {
  /** Takes upgrades of `/gateway/v1/session` and `/gateway/v1/streams/<id>`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  session(device: string): DeviceSession | undefined;
  /**
   * Asks the device for a stream and waits until it dials back. Errors: `device_offline`,
   * `stream_refused` (with the device's own code in details), `stream_timeout`, `too_many_streams`.
   */
  openStream(
    device: string,
    request: StreamRequest,
    options?: { readonly signal?: AbortSignal },
  ): Promise<StreamSocket>;
}

/** Codes of WebSocket closes that the hub sends (RFC 6455 §7.4.2: 4000–4999 are private). */
export const closeCodes = { superseded: 4001, protocol: 4002, stopping: 1012 } as const;

interface Session extends DeviceSession {
  readonly device: string;
  readonly socket: WebSocket;
  readonly ended: AbortController;
  readonly streams: Set<StreamSocket>;
  heardMs: number;
  report: Presence['reported'];
}

interface PendingStream {
  readonly device: string;
  readonly opened: PromiseWithResolvers<StreamSocket>;
}

const maxStreamsPerDevice = 64;

export function createSessionHub(init: {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly pingIntervalMs?: number;
  /** For a device to say hello, and to dial back for a stream. */
  readonly answerTimeoutMs?: number;
  /** After a start, how long devices have to come back before they count as disconnected. */
  readonly returnGraceMs?: number;
}): SessionHub {
  const { client, clock, log } = init;
  const { pingIntervalMs = 15_000, answerTimeoutMs = 10_000, returnGraceMs = 30_000 } = init;
  const deadAfterMs = pingIntervalMs * 2.5;
  const stopping = new AbortController();
  const presence = createPresenceWriter(init);
  const sessions = new Map<string, Session>();
  const epochs = new Map<string, number>();
  const pendingStreams = new Map<string, PendingStream>();
  const sessionServer = webSocketServer(sessionProtocol, maxMessageBytes);
  const streamServer = webSocketServer(streamProtocol, maxFrameBytes);
  const background = [keepAlive(), forgetVanished()];

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const { pathname } = new URL(request.url ?? '/', 'https://gateway');
      const streamId = /^\/gateway\/v1\/streams\/([A-Za-z0-9_-]{22})$/.exec(pathname)?.[1];
      if (pathname === '/gateway/v1/session') await upgradeSession(request, socket, head);
      else if (streamId !== undefined) await upgradeStream(streamId, { request, socket, head });
      else throw new TaplineError('not_found', `nothing is served at ${pathname}`);
    } catch (error) {
      if (!isTaplineError(error)) log.error('upgrade failed', { error });
      refuseUpgrade(socket, errorAnswer(error));
    }
  }

  async function upgradeSession(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const peer = devicePeer(request);
    const device = await knownDevice(peer);
    sessionServer.handleUpgrade(request, socket, head, (opened) => {
      void runSession(peer.device, device, opened);
    });
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

  async function runSession(name: string, device: Device, socket: WebSocket): Promise<void> {
    const greeting = new AbortController();
    const hello = Promise.withResolvers<Extract<DeviceMessage, { kind: 'hello' }>>();
    let session: Session | undefined;
    socket.on('error', (error) => log.debug('session socket failed', { device: name, error }));
    socket.on('close', () => {
      hello.reject(new TaplineError('session_closed', 'the device went away'));
      if (session !== undefined) end(session);
    });
    socket.on('message', (data, binary) => {
      try {
        if (binary) throw new TaplineError('session_message_invalid', 'the message is not text');
        const message = parseDeviceMessage(new TextDecoder().decode(messageBytes(data)));
        if (session !== undefined) session.heardMs = clock.monotonic();
        if (message?.kind === 'hello') hello.resolve(message);
        else if (session !== undefined && message !== undefined) take(session, message);
      } catch (error) {
        log.warn('session ended by a message', { device: name, error });
        socket.close(closeCodes.protocol, 'message invalid');
      }
    });
    try {
      const timeout = clock.sleep(answerTimeoutMs, { signal: greeting.signal }).then(() => {
        throw new TaplineError('session_timeout', `no hello within ${answerTimeoutMs} ms`);
      });
      const first = await Promise.race([hello.promise, timeout]);
      session = begin(name, device, socket, first);
      // The epoch is on disk before the device hears of it: no restart hands it out again.
      const outcome = await presence.write(name, presenceOf(session, true));
      if (outcome !== 'written' || sessions.get(name) !== session) {
        socket.close(closeCodes.superseded, 'a newer session is open');
        return;
      }
      send(socket, {
        kind: 'welcome',
        epoch: session.epoch,
        serverTime: clock.now(),
        pingIntervalMs,
      });
    } catch (error) {
      if (!stopping.signal.aborted) log.info('session refused', { device: name, error });
      socket.close(closeCodes.protocol, 'no session');
    } finally {
      greeting.abort();
    }
  }

  function begin(
    name: string,
    device: Device,
    socket: WebSocket,
    hello: Extract<DeviceMessage, { kind: 'hello' }>,
  ): Session {
    const epoch = Math.max(device.status?.presence?.epoch ?? 0, epochs.get(name) ?? 0) + 1;
    epochs.set(name, epoch);
    const older = sessions.get(name);
    const session: Session = {
      device: name,
      epoch,
      since: new Date(clock.now()).toISOString(),
      socket,
      ended: new AbortController(),
      streams: new Set(),
      heardMs: clock.monotonic(),
      report: {
        ...reportedStatus(hello.report),
        clockSkewSeconds: Math.round((hello.now - clock.now()) / 10) / 100,
      },
    };
    sessions.set(name, session);
    if (older !== undefined) {
      end(older);
      older.socket.close(closeCodes.superseded, 'a newer session is open');
    }
    return session;
  }

  function take(session: Session, message: DeviceMessage): void {
    switch (message.kind) {
      case 'hello':
      case 'pong':
        return;
      case 'report':
        session.report = { ...session.report, ...reportedStatus(message.report) };
        if (sessions.get(session.device) === session) note(session, true);
        return;
      case 'refuse-stream': {
        const pending = pendingStreams.get(message.streamId);
        if (pending?.device !== session.device) return;
        pending.opened.reject(
          new TaplineError('stream_refused', message.message, { details: { code: message.code } }),
        );
      }
    }
  }

  /** Idempotent. An older session says nothing about presence: only the newest one counts. */
  function end(session: Session): void {
    if (session.ended.signal.aborted) return;
    session.ended.abort(new TaplineError('device_offline', `${session.device} went away`));
    for (const stream of session.streams) stream.close(1001, 'the device went away');
    if (sessions.get(session.device) !== session) return;
    sessions.delete(session.device);
    if (!stopping.signal.aborted) note(session, false);
  }

  /** Writes presence without anybody waiting for it. */
  function note(session: Session, connected: boolean): void {
    presence.write(session.device, presenceOf(session, connected)).catch((error: unknown) => {
      if (!stopping.signal.aborted) log.error('presence lost', { device: session.device, error });
    });
  }

  function presenceOf(session: Session, connected: boolean): Presence {
    const since = connected ? session.since : new Date(clock.now()).toISOString();
    return { epoch: session.epoch, connected, since, reported: session.report };
  }

  async function upgradeStream(
    streamId: string,
    edge: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  ): Promise<void> {
    const peer = devicePeer(edge.request);
    await knownDevice(peer);
    const { device } = peer;
    const pending = pendingStreams.get(streamId);
    if (pending?.device !== device) {
      throw new TaplineError('not_found', `no stream ${streamId} is waited for`);
    }
    pendingStreams.delete(streamId);
    streamServer.handleUpgrade(edge.request, edge.socket, edge.head, (opened) => {
      pending.opened.resolve(createStreamSocket(opened));
    });
  }

  async function openStream(
    device: string,
    request: StreamRequest,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<StreamSocket> {
    const session = sessions.get(device);
    if (session === undefined) {
      throw new TaplineError('device_offline', `device ${device} is not connected`);
    }
    if (session.streams.size >= maxStreamsPerDevice) {
      throw new TaplineError(
        'too_many_streams',
        `device ${device} has ${session.streams.size} streams, the most is ${maxStreamsPerDevice}`,
      );
    }
    const streamId = randomBytes(16).toString('base64url');
    const waited = new AbortController();
    const opened = Promise.withResolvers<StreamSocket>();
    const signals = [
      session.ended.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ];
    const stop = AbortSignal.any(signals);
    const onStop = (): void => opened.reject(stop.reason);
    stop.addEventListener('abort', onStop, { once: true });
    pendingStreams.set(streamId, { device, opened });
    try {
      send(session.socket, { kind: 'open-stream', streamId, request });
      const timeout = clock.sleep(answerTimeoutMs, { signal: waited.signal }).then(() => {
        throw new TaplineError(
          'stream_timeout',
          `device ${device} did not open the stream within ${answerTimeoutMs} ms`,
        );
      });
      const stream = await Promise.race([opened.promise, timeout]);
      session.streams.add(stream);
      stream.closed.addEventListener('abort', () => session.streams.delete(stream), { once: true });
      return stream;
    } finally {
      pendingStreams.delete(streamId);
      stop.removeEventListener('abort', onStop);
      waited.abort();
    }
  }

  /** Ends sessions whose device has fallen silent: TCP alone would show them for a quarter hour. */
  async function keepAlive(): Promise<void> {
    for (let sequence = 1; await pause(pingIntervalMs); sequence += 1) {
      for (const session of sessions.values()) {
        if (clock.monotonic() - session.heardMs > deadAfterMs) {
          log.info('device fell silent', { device: session.device, epoch: session.epoch });
          session.socket.terminate();
          end(session);
        } else send(session.socket, { kind: 'ping', sequence });
      }
    }
  }

  /** Devices that an earlier life of the control plane left as connected, and that stayed away. */
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
    openStream,
    session: (device) => sessions.get(device),
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('device_offline', 'the gateway is stopping'));
      for (const session of sessions.values()) {
        session.socket.close(closeCodes.stopping, 'the gateway is stopping');
        end(session);
      }
      await Promise.all(background);
      await presence[Symbol.asyncDispose]();
      for (const socket of [...sessionServer.clients, ...streamServer.clients]) socket.terminate();
      sessionServer.close();
      streamServer.close();
    },
  };
}

function webSocketServer(protocol: string, maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });
}

function send(socket: WebSocket, message: ServerMessage): void {
  if (socket.readyState !== socket.OPEN) return;
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) > maxMessageBytes) {
    throw new TaplineError(
      'stream_refused',
      `a request of ${Buffer.byteLength(text)} bytes exceeds ${maxMessageBytes}`,
    );
  }
  socket.send(text);
}
