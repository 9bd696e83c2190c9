import { type Clock, isTaplineError } from '@tapline/base';
import type { BufferPool } from './buffer-pool.ts';
import { closeCodeOf, closeError, CloseCode } from './close-code.ts';
import { encodeEnding } from './ending-body.ts';
import { FrameType, headerBytes } from './frame.ts';
import { FrameDecoder, type FrameSink } from './frame-decoder.ts';
import type { TunnelLimits } from './limits.ts';
import { decodeGreeting, type Parameters } from './parameters.ts';
import { protocolVersion, Session } from './session.ts';
import type { Transport, TransportEvents } from './transport.ts';
import { WakeTimer } from './wake-timer.ts';
import { writeHeader } from './write-header.ts';

export interface TunnelServerInit {
  readonly clock: Clock;
  readonly limits: TunnelLimits;
  readonly pool: BufferPool;
  /** 32 bytes that nobody can guess. */
  readonly newToken: () => Uint8Array;
  /** Takes a new session; what it throws refuses it. */
  readonly onSession: (session: Session, principal: string) => void;
  /** Connections that have not greeted yet, in all and of one principal; more are closed at once. */
  readonly maxHalfOpen?: number;
  readonly maxHalfOpenEach?: number;
  /** Sessions in all, with those that wait for their device to come back. */
  readonly maxSessions?: number;
}

interface Entry {
  readonly session: Session;
  readonly principal: string;
  /** The newest token, and the one before until the client has shown that it has the newest. */
  readonly tokens: Set<string>;
}

/** Where sessions begin and go on. Each token works once, and only for whom it was given to. */
export class TunnelServer {
  readonly #init: TunnelServerInit;
  readonly #entries = new Map<string, Entry>();
  readonly #sessions = new Set<Session>();
  readonly #halfOpenOf = new Map<string, number>();
  #halfOpen = 0;

  constructor(init: TunnelServerInit) {
    this.#init = init;
  }

  /** Takes a connection of `principal`, who has been authenticated. */
  accept(transport: Transport, principal: string): TransportEvents {
    const { maxHalfOpen = 4096, maxHalfOpenEach = 8, clock, limits } = this.#init;
    const own = this.#halfOpenOf.get(principal) ?? 0;
    if (this.#halfOpen >= maxHalfOpen || own >= maxHalfOpenEach) {
      const error = closeError(
        CloseCode.TooManySessions,
        `${own} connections of ${principal} and ${this.#halfOpen} in all have not greeted, ` +
          `the most are ${maxHalfOpenEach} and ${maxHalfOpen}`,
      );
      refuse(transport, error);
      return { receive() {}, drained() {}, closed() {} };
    }
    this.#countHalfOpen(principal, 1);
    let isOver = false;
    const settle = (): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      this.#countHalfOpen(principal, -1);
    };
    const timer = new WakeTimer(clock, () => {
      settle();
      transport.close();
    });
    timer.arm(clock.monotonic() + limits.handshakeMs);
    return greetingEvents(transport, {
      settle,
      isOver: () => isOver,
      greet: (greeting) => this.#greet(transport, principal, greeting),
    });
  }

  /** Ends all sessions. */
  close(code: number, reason: string): void {
    for (const session of this.#sessions) session.close(code, reason);
  }

  #countHalfOpen(principal: string, change: number): void {
    this.#halfOpen += change;
    const own = (this.#halfOpenOf.get(principal) ?? 0) + change;
    if (own === 0) this.#halfOpenOf.delete(principal);
    else this.#halfOpenOf.set(principal, own);
  }

  #greet(transport: Transport, principal: string, greeting: Greeting): TransportEvents {
    const { type, body } = greeting;
    if (type !== FrameType.Hello && type !== FrameType.Resume) {
      throw closeError(CloseCode.Protocol, `a frame of type ${type} is no greeting`);
    }
    const { versions, parameters } = decodeGreeting(body);
    if (protocolVersion < versions.least || protocolVersion > versions.most) {
      throw closeError(
        CloseCode.VersionUnsupported,
        `versions ${versions.least} to ${versions.most} are asked for, ${protocolVersion} is spoken`,
      );
    }
    return type === FrameType.Hello
      ? this.#begin(transport, principal, parameters)
      : this.#resume(transport, principal, parameters);
  }

  #begin(transport: Transport, principal: string, peer: Parameters): TransportEvents {
    const { clock, limits, pool, onSession, maxSessions = Infinity } = this.#init;
    if (this.#sessions.size >= maxSessions) {
      throw closeError(CloseCode.TooManySessions, `${maxSessions} sessions are the most`);
    }
    const session = new Session({ role: 'server', clock, limits, pool });
    const entry = { session, principal, tokens: new Set<string>() };
    onSession(session, principal);
    this.#sessions.add(session);
    session.closed.addEventListener('abort', () => this.#forget(entry), { once: true });
    return session.accept(transport, { token: this.#issue(entry), peer, resumes: false });
  }

  #resume(transport: Transport, principal: string, peer: Parameters): TransportEvents {
    const key = peer.token === undefined ? '' : keyOf(peer.token);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      throw closeError(CloseCode.SessionUnknown, 'no session has this token, or not any more');
    }
    if (entry.principal !== principal) {
      throw closeError(CloseCode.Unauthorized, `the session is not one of ${principal}`);
    }
    // One that was issued later and never used was lost with its connection.
    for (const token of entry.tokens) if (token !== key) this.#revoke(entry, token);
    const token = this.#issue(entry);
    const events = entry.session.accept(transport, { token, peer, resumes: true });
    return confirming(events, () => this.#revoke(entry, key));
  }

  #issue(entry: Entry): Uint8Array {
    const token = this.#init.newToken();
    const key = keyOf(token);
    entry.tokens.add(key);
    this.#entries.set(key, entry);
    return token;
  }

  #revoke(entry: Entry, key: string): void {
    entry.tokens.delete(key);
    this.#entries.delete(key);
  }

  #forget(entry: Entry): void {
    this.#sessions.delete(entry.session);
    for (const key of entry.tokens) this.#revoke(entry, key);
  }
}

interface Greeting {
  readonly type: number;
  readonly body: Uint8Array;
}

/** Events of a connection: the first frame decides, and all others are its session's. */
function greetingEvents(
  transport: Transport,
  init: {
    readonly settle: () => void;
    readonly isOver: () => boolean;
    readonly greet: (greeting: Greeting) => TransportEvents;
  },
): TransportEvents {
  const state: { events: TransportEvents | undefined } = { events: undefined };
  const decoder = new FrameDecoder(
    firstFrame((type, body) => {
      decoder.stop();
      state.events = init.greet({ type, body });
      init.settle();
    }),
  );
  return {
    receive(bytes) {
      let taken = 0;
      if (state.events === undefined) {
        if (init.isOver()) return;
        try {
          taken = decoder.push(bytes);
        } catch (error) {
          if (!isTaplineError(error)) throw error;
          init.settle();
          refuse(transport, error);
        }
      }
      if (taken < bytes.length) state.events?.receive(bytes.subarray(taken));
    },
    drained: () => state.events?.drained(),
    closed(cause) {
      init.settle();
      state.events?.closed(cause);
    },
  };
}

/** Calls once the client has answered on the connection: it has what it was sent. */
function confirming(events: TransportEvents, confirmed: () => void): TransportEvents {
  let first = true;
  return {
    ...events,
    receive(bytes) {
      if (first) confirmed();
      first = false;
      events.receive(bytes);
    },
  };
}

function firstFrame(take: (type: number, body: Uint8Array) => void): FrameSink {
  return {
    dataBegins() {
      throw closeError(CloseCode.Protocol, 'data before a greeting');
    },
    dataPart() {},
    dataEnds() {},
    frame: (type, _flags, _stream, body) => take(type, body),
  };
}

function refuse(transport: Transport, error: Error): void {
  const body = encodeEnding(closeCodeOf(error), error.message);
  const frame = new Uint8Array(headerBytes + body.length);
  const header = { type: FrameType.Close, flags: 0, length: body.length, stream: 0 };
  frame.set(body, writeHeader(frame, 0, header));
  transport.write(frame);
  transport.close();
}

function keyOf(token: Uint8Array): string {
  let key = '';
  for (const byte of token) key += byte.toString(16).padStart(2, '0');
  return key;
}
