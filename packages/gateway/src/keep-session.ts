import type { ServiceImpl } from '@connectrpc/connect';
import { type Clock, defined, errorMessage, type Log, type Rng, TaplineError } from '@tapline/base';
import {
  BufferPool,
  CloseCode,
  defaultLimits,
  type Dial,
  keepTunnel,
  type Session as Tunnel,
  type StreamClass,
  type TunnelStream,
} from '@tapline/tunnel';
import {
  type ConnectionOwner,
  type ControlPlaneService,
  httpStreams,
} from './control-plane-service.ts';
import type { ForwardServer } from './forward/forward-server.ts';
import { callStream } from './rpc/call-head.ts';
import type { CallServer } from './rpc/create-call-server.ts';
import type { GatewayCalls } from './rpc/create-gateway-calls.ts';
import type { DeviceService } from './rpc/generated/tapline/device/v1/device_pb.ts';
import {
  type DeviceMessage,
  type DeviceReport,
  maxMessageBytes,
  parseServerMessage,
  streamNames,
} from './session-messages.ts';
import type { StreamSocket } from './stream-socket.ts';
import { createConnectionGate } from './tunnel/connection-gate.ts';
import { createMessageStream } from './tunnel/message-stream.ts';

/** A device's end of its tunnel, whatever carries it: connects, and connects again, until disposed. */
export interface KeptSession extends AsyncDisposable {
  /** Epoch of the open connection. */
  readonly epoch: number | undefined;
  /** Sends `report()` anew. Where there is no connection the next hello carries it. */
  refresh(): void;
  /** A new connection for the tunnel, as with a certificate that was renewed; streams go on. */
  reconnect(): void;
  /**
   * A stream that is a connection to a service of the control plane, the device's own unless a guest's.
   * Throws `gateway_unreachable` where there is no tunnel, and none within a moment.
   */
  openStream(
    service: ControlPlaneService,
    options: { readonly class: StreamClass; readonly owner?: ConnectionOwner },
  ): Promise<TunnelStream>;
  /** What the gateway may be asked; a call waits for a moment where there is no tunnel. */
  calls(): Promise<GatewayCalls>;
}

export interface KeepSessionInit {
  readonly dial: Dial;
  /** Whose gateway it is, for messages. */
  readonly host: string;
  readonly report: () => DeviceReport;
  /** What the gateway may call; a TaplineError before the first response is the refusal. */
  readonly service: Partial<ServiceImpl<typeof DeviceService>>;
  /** Serves what users reach of this device; without it nothing. */
  readonly forwards?: ForwardServer;
  readonly onConnected?: (session: {
    readonly epoch: number;
    /** Of the connection before, where the tunnel has gone on. */
    readonly previousEpoch?: number;
    readonly clockSkewMs: number;
  }) => void;
  readonly onDisconnected?: () => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** How soon silence is to be noticed, at both ends; as the tunnel's default unless given. */
  readonly keepaliveMs?: number;
  /** First pause between attempts; they grow to `maxBackoffMs`, with jitter. */
  readonly baseBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

export function keepSession(init: KeepSessionInit): KeptSession {
  const { clock, rng, log } = init;
  const { baseBackoffMs = 500, maxBackoffMs = 30_000 } = init;
  const stopping = new AbortController();
  const streams = new Set<Promise<void>>();
  let newestEpoch = 0;
  let calls: Promise<CallServer> | undefined;
  let gatewayCalls: Promise<GatewayCalls> | undefined;
  let epoch: number | undefined;
  const waiting = { clock, host: init.host, signal: stopping.signal };
  const connection = createConnectionGate({
    ready: () => (tunnel.session.connected ? tunnel.session : undefined),
    ...waiting,
  });
  const welcome = createConnectionGate({ ready: () => epoch, ...waiting });
  let messages: StreamSocket | undefined;

  const tunnel = keepTunnel({
    dial: init.dial,
    onSession: begin,
    clock,
    rng,
    log,
    limits: { ...defaultLimits, ...defined({ keepaliveMs: init.keepaliveMs }) },
    pool: new BufferPool({ most: 8 }),
    baseBackoffMs,
    maxBackoffMs,
  });

  function begin(session: Tunnel): void {
    let isGreeted = false;
    session.onStream((stream) => track(serve(session, stream)));
    session.onConnection((connected) => {
      if (!connected) return disconnected();
      if (!isGreeted) track(converse(session));
      isGreeted = true;
      connection.open();
    });
  }

  function disconnected(): void {
    if (epoch === undefined) return;
    epoch = undefined;
    init.onDisconnected?.();
  }

  function track(work: Promise<void>): void {
    const tracked = work.finally(() => streams.delete(tracked));
    streams.add(tracked);
  }

  /** Says hello, and hears with each connection which epoch it has. */
  async function converse(session: Tunnel): Promise<void> {
    const stream = session.open({ class: 'control', name: streamNames.session });
    const own = createMessageStream(stream, { maxBytes: maxMessageBytes });
    messages = own;
    try {
      await say(own, { kind: 'hello', now: clock.now(), report: init.report() });
      for await (const bytes of own.messages) {
        const message = parseServerMessage(new TextDecoder().decode(bytes));
        if (message === undefined) continue;
        ({ epoch } = message);
        newestEpoch = Math.max(newestEpoch, epoch);
        welcome.open();
        const clockSkewMs = clock.now() - message.serverTime;
        const { previousEpoch } = message;
        init.onConnected?.({
          epoch: message.epoch,
          ...(previousEpoch === undefined ? {} : { previousEpoch }),
          clockSkewMs,
        });
      }
    } catch (error) {
      if (!stopping.signal.aborted) log.info('session ended', { error: errorMessage(error) });
    } finally {
      if (messages === own) messages = undefined;
      // Without it the gateway would never hear of anything new.
      session.close(CloseCode.Protocol, 'the session stream has ended');
    }
  }

  async function serve(session: Tunnel, stream: TunnelStream): Promise<void> {
    const { name } = stream.opening;
    if (name === callStream) {
      calls ??= loadCalls(init.service, () => newestEpoch);
      return await (await calls).serve(stream);
    }
    const forwarded = init.forwards?.serve(stream, session);
    if (forwarded === undefined) stream.reset(CloseCode.Refused, `nothing is served as ${name}`);
    else await forwarded;
  }

  return {
    get epoch() {
      return epoch;
    },
    refresh() {
      if (messages === undefined) return;
      const report: DeviceMessage = { kind: 'report', report: init.report() };
      say(messages, report).catch((error: unknown) => {
        log.debug('a report was not sent', { error: errorMessage(error) });
      });
    },
    reconnect: () => tunnel.reconnect(),
    async openStream(service, options) {
      const session = await connection.pass();
      const { class: streamClass, owner = 'device' } = options;
      const header = new TextEncoder().encode(service);
      const name = httpStreams[owner];
      return session.open({ class: streamClass, name, header });
    },
    calls() {
      gatewayCalls ??= loadGatewayCalls({
        open: async (_path, header) =>
          (await connection.pass()).open({ class: 'interactive', name: callStream, header }),
        epoch: () => welcome.pass(),
      });
      return gatewayCalls;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('session_closed', 'the agent is stopping'));
      await tunnel[Symbol.asyncDispose]();
      await Promise.all(streams);
    },
  };
}

/** Loaded for the first call: a device that nobody calls stays ten megabytes smaller. */
async function loadCalls(
  service: KeepSessionInit['service'],
  newestEpoch: () => number,
): Promise<CallServer> {
  const { createDeviceCallServer } = await import('./rpc/create-device-call-server.ts');
  return createDeviceCallServer(service, newestEpoch);
}

async function loadGatewayCalls(
  init: Parameters<typeof import('./rpc/create-gateway-calls.ts').createGatewayCalls>[0],
): Promise<GatewayCalls> {
  const { createGatewayCalls } = await import('./rpc/create-gateway-calls.ts');
  return createGatewayCalls(init);
}

function say(socket: StreamSocket, message: DeviceMessage): Promise<void> {
  return socket.send(new TextEncoder().encode(JSON.stringify(message)));
}
