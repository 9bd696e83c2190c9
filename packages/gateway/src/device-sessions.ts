import type { Clock, Log } from '@tapline/base';
import type { Device } from '@tapline/resources';
import { CloseCode, type Session as Tunnel } from '@tapline/tunnel';
import type { Presence, PresenceWriter } from './presence-writer.ts';
import { reportedStatus } from './reported-status.ts';
import { createDeviceCalls, type DeviceCalls } from './rpc/create-device-calls.ts';
import type { DeviceMessage, DeviceReport, ServerMessage } from './session-messages.ts';
import type { StreamSocket } from './stream-socket.ts';

/** A device's tunnel that has said hello, and its epoch. */
export interface Session {
  readonly device: string;
  readonly tunnel: Tunnel;
  readonly calls: DeviceCalls;
  readonly epoch: number;
  /** Of its first connection. */
  readonly firstEpoch: number;
  /** RFC 3339: since when it is, or is not, connected. */
  readonly since: string;
  readonly connected: boolean;
}

/** What a tunnel becomes a session by. */
export interface SessionStart {
  readonly name: string;
  readonly device: Device;
  readonly tunnel: Tunnel;
  readonly messages: StreamSocket;
  readonly hello: Extract<DeviceMessage, { kind: 'hello' }>;
}

/** The sessions of devices: of each the newest, which alone says whether the device is there. */
export interface DeviceSessions {
  newest(device: string): Session | undefined;
  /** Ends the one before. Resolves when the device has heard of its epoch. */
  begin(start: SessionStart): { readonly session: Session; readonly announced: Promise<void> };
  /** On another connection: the streams are the same, and presence has the next epoch. */
  comeBack(session: Session): void;
  /** Its connection or its tunnel has ended. Idempotent. */
  lose(session: Session): void;
  report(session: Session, report: DeviceReport): void;
}

interface State extends Session {
  readonly messages: StreamSocket;
  epoch: number;
  /** Of the connection before, where the tunnel has gone on. */
  previousEpoch?: number;
  since: string;
  connected: boolean;
  reported: Presence['reported'];
}

export function createDeviceSessions(init: {
  readonly presence: Pick<PresenceWriter, 'write'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Nothing is said of devices any more: they are not gone, the gateway is. */
  readonly stopping: AbortSignal;
}): DeviceSessions {
  const { presence, clock, log, stopping } = init;
  const sessions = new Map<string, State>();
  const states = new WeakMap<Session, State>();
  const epochs = new Map<string, number>();

  function now(): string {
    return new Date(clock.now()).toISOString();
  }

  function nextEpoch(name: string, device?: Device): number {
    const epoch = Math.max(device?.status?.presence?.epoch ?? 0, epochs.get(name) ?? 0) + 1;
    epochs.set(name, epoch);
    return epoch;
  }

  function isNewest(session: Session): boolean {
    return sessions.get(session.device) === session;
  }

  /** The epoch is on disk before the device hears of it: no restart hands it out again. */
  async function announce(session: State): Promise<void> {
    const { epoch, previousEpoch } = session;
    const outcome = await presence.write(session.device, presenceOf(session));
    if (session.epoch !== epoch || !session.connected) return;
    if (outcome !== 'written' || !isNewest(session)) {
      session.tunnel.close(CloseCode.Superseded, 'a newer session is open');
      return;
    }
    await send(session.messages, {
      kind: 'welcome',
      epoch,
      ...(previousEpoch === undefined ? {} : { previousEpoch }),
      serverTime: clock.now(),
    });
  }

  /** Writes presence without anybody waiting for it. */
  function note(session: State): void {
    presence.write(session.device, presenceOf(session)).catch((error: unknown) => {
      if (!stopping.aborted) log.error('presence lost', { device: session.device, error });
    });
  }

  function presenceOf({ epoch, since, connected, reported, tunnel }: State): Presence {
    if (connected) return { epoch, connected, since, reported };
    // One that fell silent is away since it was heard last, and not since that was noticed.
    const lostMs = clock.now() - (clock.monotonic() - tunnel.lostMs);
    return { epoch, connected, since: new Date(lostMs).toISOString(), reported };
  }

  return {
    newest: (device) => sessions.get(device),
    begin({ name, device, tunnel, messages, hello }) {
      const older = sessions.get(name);
      const epoch = nextEpoch(name, device);
      const session: State = {
        device: name,
        tunnel,
        calls: createDeviceCalls(name, { tunnel, epoch: () => session.epoch }),
        messages,
        epoch,
        firstEpoch: epoch,
        since: now(),
        connected: true,
        reported: {
          ...reportedStatus(hello.report),
          clockSkewSeconds: Math.round((hello.now - clock.now()) / 10) / 100,
        },
      };
      sessions.set(name, session);
      states.set(session, session);
      older?.tunnel.close(CloseCode.Superseded, 'a newer session is open');
      return { session, announced: announce(session) };
    },
    comeBack(session) {
      const state = states.get(session);
      if (state === undefined || !isNewest(session)) return;
      state.previousEpoch = state.epoch;
      state.epoch = nextEpoch(state.device);
      state.since = now();
      state.connected = true;
      announce(state).catch((error: unknown) => {
        if (stopping.aborted) return;
        log.warn('a device that came back was not told', { device: state.device, error });
      });
    },
    lose(session) {
      const state = states.get(session);
      const newest = isNewest(session);
      if (session.tunnel.closed.aborted && newest) sessions.delete(session.device);
      if (state?.connected !== true) return;
      state.connected = false;
      if (newest && !stopping.aborted) note(state);
    },
    report(session, report) {
      const state = states.get(session);
      if (state === undefined) return;
      state.reported = { ...state.reported, ...reportedStatus(report) };
      if (state.connected && isNewest(session)) note(state);
    },
  };
}

function send(socket: StreamSocket, message: ServerMessage): Promise<void> {
  return socket.send(new TextEncoder().encode(JSON.stringify(message)));
}
