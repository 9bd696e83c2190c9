import type { Clock } from '@tapline/base';
import { AcceptedConnection, type Greeted, type Greeting, refuse } from './accepted-connection.ts';
import type { BufferPool } from './buffer-pool.ts';
import { closeError, CloseCode } from './close-code.ts';
import { FrameType } from './frame.ts';
import type { TunnelLimits } from './limits.ts';
import { decodeGreeting, type Parameters } from './parameters.ts';
import { protocolVersion, Session } from './session.ts';
import type { Transport, TransportEvents } from './transport.ts';
import { Wakeups } from './wakeups.ts';

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
  readonly #wakeups: Wakeups;
  readonly #entries = new Map<string, Entry>();
  readonly #sessions = new Set<Session>();
  readonly #halfOpenOf = new Map<string, number>();
  #halfOpen = 0;

  constructor(init: TunnelServerInit) {
    this.#init = init;
    this.#wakeups = new Wakeups(init.clock);
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
    return new AcceptedConnection(transport, {
      wakeups: this.#wakeups,
      untilMs: clock.monotonic() + limits.handshakeMs,
      greet: (greeting) => this.#greet(transport, principal, greeting),
      settled: () => this.#countHalfOpen(principal, -1),
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

  #greet(transport: Transport, principal: string, greeting: Greeting): Greeted {
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

  #begin(transport: Transport, principal: string, peer: Parameters): Greeted {
    const { clock, limits, pool, onSession, maxSessions = Infinity } = this.#init;
    if (this.#sessions.size >= maxSessions) {
      throw closeError(CloseCode.TooManySessions, `${maxSessions} sessions are the most`);
    }
    const wakeups = this.#wakeups;
    const session = new Session({ role: 'server', clock, wakeups, limits, pool });
    const entry = { session, principal, tokens: new Set<string>() };
    onSession(session, principal);
    this.#sessions.add(session);
    session.closed.addEventListener('abort', () => this.#forget(entry), { once: true });
    const token = this.#issue(entry);
    return { events: session.accept(transport, { token, peer, resumes: false }) };
  }

  #resume(transport: Transport, principal: string, peer: Parameters): Greeted {
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
    return { events, confirmed: () => this.#revoke(entry, key) };
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

function keyOf(token: Uint8Array): string {
  let key = '';
  for (const byte of token) key += byte.toString(16).padStart(2, '0');
  return key;
}
