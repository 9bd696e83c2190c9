import { type Clock, TaplineError } from '@tapline/base';
import { Arrivals } from './arrivals.ts';
import type { BufferPool } from './buffer-pool.ts';
import { closeCodeOf, closeError, CloseCode } from './close-code.ts';
import { decodeEnding, encodeEnding } from './ending-body.ts';
import { finFlag, FrameType, ignorableBit, sequencedBit } from './frame.ts';
import type { TunnelLimits } from './limits.ts';
import { Link, type LinkOwner } from './link.ts';
import { encodeAnswer, encodeGreeting, type Parameters } from './parameters.ts';
import type { Role } from './peer-streams.ts';
import { readAnswer } from './read-answer.ts';
import { readUint32, readUint64 } from './read-number.ts';
import { Sender } from './sender.ts';
import { SessionStreams } from './session-streams.ts';
import type { Transport, TransportEvents } from './transport.ts';
import type { OpenOptions, TunnelSession, TunnelStats, TunnelStream } from './tunnel-types.ts';
import { WakeTimer } from './wake-timer.ts';
import { Wakeups } from './wakeups.ts';
import { watchLink } from './watch-link.ts';

export const protocolVersion = 1;
const versions = { least: protocolVersion, most: protocolVersion };
/** How long what was sent may stay unacknowledged before it is asked after. */
const askAfterMs = 50;
/** A client may ask to be missed after 2.5 of these, and no sooner. */
const leastKeepaliveMs = 500;
/** How often is looked at a window that opens. */
const paceMs = 1;

export interface SessionInit {
  readonly role: Role;
  readonly clock: Clock;
  /** Of the same clock, shared with other sessions. */
  readonly wakeups?: Wakeups;
  readonly limits: TunnelLimits;
  readonly pool: BufferPool;
}

/**
 * One end of a session: the state machine, without sockets and without timers of its own beside the
 * clock. A client's `connect` greets; a server's `accept` takes what `TunnelServer` has greeted.
 */
export class Session implements TunnelSession, LinkOwner {
  readonly #role: Role;
  readonly #clock: Clock;
  readonly #limits: TunnelLimits;
  readonly #sender: Sender;
  readonly #streams: SessionStreams;
  readonly #arrivals = new Arrivals();
  readonly #timer: WakeTimer;
  readonly #closing = new AbortController();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #link: Link | undefined;
  #detachedMs: number | undefined;
  /** Of this session: a server hears of its client how soon silence is to be noticed. */
  #keepaliveMs: number;
  #lostMs: number | undefined;
  #connections = 0;
  #token: Uint8Array | undefined;
  #pumpDue = false;
  #pinged = 0;

  constructor(init: SessionInit) {
    this.#role = init.role;
    this.#clock = init.clock;
    this.#limits = init.limits;
    this.#keepaliveMs = init.limits.keepaliveMs;
    this.#sender = new Sender(init);
    this.#streams = new SessionStreams({
      ...init,
      sender: this.#sender,
      onWork: () => this.#schedulePump(),
    });
    this.#timer = new WakeTimer(init.wakeups ?? new Wakeups(init.clock), () => this.#tick());
  }

  get connected(): boolean {
    return this.#link?.greeted === true;
  }

  /** Of a session without a connection: when that was lost, which is when the peer was heard last. */
  get lostMs(): number {
    return this.#lostMs ?? this.#now();
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Whether a server has given this session a token to come back with. */
  get isResumable(): boolean {
    return this.#token !== undefined && !this.#closing.signal.aborted;
  }

  /** Complete sequenced frames that arrived, in bytes: what a peer that comes back goes on from. */
  get position(): number {
    return this.#arrivals.position;
  }

  /** Called when a connection is ready, and when it is lost. */
  onConnection(listener: (connected: boolean) => void): void {
    this.#connectionListeners.add(listener);
  }

  onStream(accept: (stream: TunnelStream) => void): void {
    this.#streams.onStream(accept);
  }

  /** A client's new connection. One that it had is given up. */
  connect(transport: Transport): TransportEvents {
    const link = this.#attach(transport);
    const first = this.#token === undefined;
    const parameters = first
      ? this.#ownParameters()
      : { token: this.#token, position: this.#arrivals.position };
    const body = encodeGreeting(versions, parameters as Parameters);
    this.#sender.unsequenced(first ? FrameType.Hello : FrameType.Resume, body);
    this.#sender.flush();
    return link;
  }

  /**
   * A server's new connection, whose first frame was read: a new session's, or with `position` one
   * that goes on. Throws `tunnel_position_lost`.
   */
  accept(
    transport: Transport,
    greeting: { readonly token: Uint8Array; readonly peer: Parameters; readonly resumes: boolean },
  ): TransportEvents {
    const { token, peer, resumes } = greeting;
    if (resumes) this.#checkPosition(peer.position);
    const link = this.#attach(transport);
    const parameters = resumes
      ? { token, position: this.#arrivals.position }
      : { ...this.#ownParameters(), token };
    const answer = encodeAnswer(protocolVersion, parameters);
    this.#sender.unsequenced(resumes ? FrameType.Resumed : FrameType.Welcome, answer);
    this.#ready(link, peer);
    return link;
  }

  open(options: OpenOptions): TunnelStream {
    this.#closing.signal.throwIfAborted();
    return this.#streams.open(options);
  }

  close(code: number = CloseCode.Normal, reason = 'closed by this side'): void {
    if (this.#closing.signal.aborted) return;
    if (this.#link !== undefined) {
      this.#sender.unsequenced(FrameType.Close, encodeEnding(code, reason));
      this.#sender.flush();
    }
    this.#end(closeError(code, reason));
  }

  stats(): TunnelStats {
    const sent = this.#sender.stats(this.#now());
    return {
      ...sent,
      streams: this.#streams.size,
      ownStreams: this.#streams.ofThisEnd,
      receivedBytes: this.#arrivals.position,
      connections: this.#connections,
    };
  }

  // What the decoder tells.

  dataBegins(stream: number): void {
    this.#mustBeGreeted();
    this.#streams.check(stream);
    this.#arrivals.beginsFrame();
  }

  dataPart(id: number, part: Uint8Array): void {
    const fresh = this.#arrivals.freshOf(part);
    if (fresh !== undefined) this.#streams.data(id, fresh);
  }

  dataEnds(id: number, flags: number, length: number): void {
    this.#arrivals.endsFrame(flags, length);
    if ((flags & finFlag) !== 0) this.#streams.dataEnded(id);
  }

  frame(type: number, flags: number, stream: number, body: Uint8Array): void {
    if (!this.connected) return this.#greeted(type, body);
    if ((type & sequencedBit) !== 0) this.#arrivals.sequenced(flags, body.length);
    switch (type) {
      case FrameType.Ack:
        return this.#acknowledged(sized(body, 8), 0);
      case FrameType.Ping:
        return this.#answerPing(sized(body, 8));
      case FrameType.Pong:
        if (this.#link !== undefined) this.#link.asked = false;
        return this.#acknowledged(sized(body, 16), 8);
      case FrameType.Open:
        return this.#streams.opened(stream, body);
      case FrameType.Credit:
        return this.#streams.credited(stream, readUint32(sized(body, 4), 0));
      case FrameType.Reset:
        return this.#streams.wasReset(stream, body);
      case FrameType.Close: {
        const { code, reason } = decodeEnding(body);
        return this.#end(closeError(code, `closed by the peer: ${reason}`));
      }
      default:
        if ((type & ignorableBit) !== 0) return;
        throw closeError(CloseCode.Protocol, `a frame of type ${type} has no place here`);
    }
  }

  // Connections.

  #attach(transport: Transport): Link {
    this.#closing.signal.throwIfAborted();
    this.#detach();
    const startedMs = this.#now();
    const link = new Link(this, { transport, startedMs });
    this.#link = link;
    this.#arrivals.beginsFrame();
    this.#arrivals.ackDue = false;
    this.#sender.attach(transport);
    this.#timer.arm(startedMs + this.#limits.handshakeMs);
    return link;
  }

  #detach(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    link.decoder.stop();
    this.#sender.detach();
    link.transport.close();
    if (this.#closing.signal.aborted) return;
    this.#detachedMs ??= this.#now();
    this.#lostMs ??= this.#now();
    this.#timer.arm(this.#detachedMs + this.#limits.resumeMs);
    if (link.greeted) for (const listener of this.#connectionListeners) listener(false);
  }

  linkReceived(link: Link, bytes: Uint8Array): void {
    if (this.#link !== link) return;
    link.heardMs = this.#now();
    link.asked = link.doubted = false;
    this.#receive(link, bytes);
  }

  linkDrained(link: Link): void {
    if (this.#link === link) this.#pump();
  }

  linkClosed(link: Link): void {
    if (this.#link === link) this.#detach();
  }

  #receive(link: Link, bytes: Uint8Array): void {
    try {
      link.decoder.push(bytes);
    } catch (error) {
      if (!(error instanceof TaplineError)) throw error;
      this.close(closeCodeOf(error), error.message);
      return;
    }
    if (this.#link !== link) return;
    if (this.#arrivals.ackDue) this.#sendAck();
    this.#pump();
  }

  /** The connection carries the session from here on. */
  #ready(link: Link, peer: Parameters): void {
    const resumes = this.#connections > 0;
    this.#connections += 1;
    if (resumes) {
      this.#checkPosition(peer.position);
      this.#sender.resume(peer.position ?? 0, this.#now());
    } else {
      const { streamCredit = 0, maxStreams = 0, keepaliveMs = this.#keepaliveMs } = peer;
      if (this.#role === 'server') this.#keepaliveMs = sooner(this.#keepaliveMs, keepaliveMs);
      this.#streams.granted({ streamCredit, maxStreams });
      this.#sender.sessionCredit(peer.sessionCredit ?? 0);
    }
    link.greeted = true;
    this.#detachedMs = undefined;
    this.#lostMs = undefined;
    this.#watch(link, { owesAnswer: false });
    for (const listener of this.#connectionListeners) listener(true);
    this.#pump();
  }

  #checkPosition(position: number | undefined): void {
    if (position !== undefined && this.#sender.canResume(position)) return;
    throw closeError(
      CloseCode.PositionLost,
      `position ${position ?? 'none'} is not within what is kept`,
    );
  }

  /** A client's first frame of a connection. */
  #greeted(type: number, body: Uint8Array): void {
    const link = this.#link;
    if (type === FrameType.Close) {
      const { code, reason } = decodeEnding(body);
      return this.#end(closeError(code, `refused by the peer: ${reason}`));
    }
    if (link === undefined || this.#role === 'server') {
      throw closeError(CloseCode.Protocol, `a frame of type ${type} before a greeting`);
    }
    const expected = this.#connections === 0 ? FrameType.Welcome : FrameType.Resumed;
    const parameters = readAnswer({ type, body }, { type: expected, version: protocolVersion });
    this.#token = parameters.token;
    this.#ready(link, parameters);
  }

  #mustBeGreeted(): void {
    if (!this.connected) throw closeError(CloseCode.Protocol, 'data before a greeting');
  }

  #ownParameters(): Parameters {
    const { streamCredit, sessionCredit, maxStreams, keepaliveMs, resumeMs } = this.#limits;
    return { streamCredit, sessionCredit, maxStreams, keepaliveMs, resumeMs };
  }

  #end(error: TaplineError): void {
    if (this.#closing.signal.aborted) return;
    const { connected } = this;
    this.#closing.abort(error);
    this.#detach();
    this.#timer.cancel();
    this.#streams.failAll(error);
    this.#sender.dispose();
    if (connected) for (const listener of this.#connectionListeners) listener(false);
  }

  // Frames.

  #acknowledged(body: Uint8Array, offset: number): void {
    const position = readUint64(body, offset);
    if (this.#sender.acknowledged(position, this.#now())) return;
    throw closeError(CloseCode.Protocol, `position ${position} was never sent`);
  }

  #answerPing(echo: Uint8Array): void {
    this.#sender.unsequencedPosition(FrameType.Pong, this.#arrivals.position, echo);
    this.#arrivals.ackDue = false;
  }

  #sendAck(): void {
    this.#arrivals.ackDue = false;
    this.#sender.unsequencedPosition(FrameType.Ack, this.#arrivals.position);
  }

  // Sending.

  #now(): number {
    return this.#clock.monotonic();
  }

  #schedulePump(): void {
    if (this.#pumpDue || !this.connected) return;
    this.#pumpDue = true;
    queueMicrotask(this.#pumpNow);
  }

  readonly #pumpNow = (): void => {
    this.#pumpDue = false;
    this.#pump();
  };

  #pump(): void {
    if (!this.connected) return;
    const now = this.#now();
    const ended = this.#sender.pump(now);
    for (const stream of ended) this.#streams.removeIfOver(stream);
    if (this.#sender.isFlooded) {
      this.close(CloseCode.Flood, 'more answers wait than the peer takes');
      return;
    }
    if (this.#sender.shouldAsk) this.#timer.arm(now + askAfterMs);
    if (this.#sender.waitsForWindow(now)) this.#timer.arm(now + paceMs);
  }

  // Time.

  #tick(): void {
    const link = this.#link;
    if (link !== undefined) return this.#watch(link, { owesAnswer: this.#sender.shouldAsk });
    if (this.#detachedMs === undefined) return;
    const { resumeMs } = this.#limits;
    const untilMs = this.#detachedMs + resumeMs;
    if (this.#now() < untilMs) return this.#timer.arm(untilMs);
    this.#end(closeError(CloseCode.Timeout, `no connection for ${resumeMs} ms`));
  }

  #watch(link: Link, { owesAnswer }: { readonly owesAnswer: boolean }): void {
    const { handshakeMs } = this.#limits;
    const limits = { keepaliveMs: this.#keepaliveMs, handshakeMs };
    const at = { nowMs: this.#now(), role: this.#role, limits, owesAnswer };
    const step = watchLink(link, at);
    if (step.kind === 'give up') {
      this.#lostMs ??= link.heardMs;
      return this.#detach();
    }
    if (step.kind === 'doubt') link.doubted = true;
    else if (step.kind === 'ask') this.#ping(link);
    this.#timer.arm(step.untilMs);
  }

  #ping(link: Link): void {
    link.asked = true;
    this.#pinged += 1;
    this.#sender.ping(this.#pinged, this.#now());
    this.#sender.flush();
  }
}

/** A client may be missed sooner than others, and not so soon that it costs more than a few Pings. */
function sooner(own: number, asked: number): number {
  return Math.min(own, Math.max(leastKeepaliveMs, asked));
}

function sized(body: Uint8Array, length: number): Uint8Array {
  if (body.length === length) return body;
  throw closeError(CloseCode.Protocol, `a body of ${body.length} bytes is not one of ${length}`);
}
