import { type Clock, TaplineError } from '@tapline/base';
import type { BufferPool } from './buffer-pool.ts';
import { closeCodeOf, closeError, CloseCode } from './close-code.ts';
import { decodeEnding, encodeEnding } from './ending-body.ts';
import { ackFlag, finFlag, FrameType, headerBytes, ignorableBit, sequencedBit } from './frame.ts';
import { FrameDecoder, type FrameSink } from './frame-decoder.ts';
import type { TunnelLimits } from './limits.ts';
import { decodeOpen, encodeOpen } from './open-body.ts';
import { decodeAnswer, encodeAnswer, encodeGreeting, type Parameters } from './parameters.ts';
import { PeerStreams, type Role } from './peer-streams.ts';
import { readUint32, readUint64 } from './read-number.ts';
import { ReceiveWindow } from './receive-window.ts';
import { Sender } from './sender.ts';
import { Stream, type StreamHost } from './stream.ts';
import type { Transport, TransportEvents } from './transport.ts';
import type { OpenOptions, TunnelSession, TunnelStats, TunnelStream } from './tunnel-types.ts';
import { WakeTimer } from './wake-timer.ts';

export const protocolVersion = 1;
const versions = { least: protocolVersion, most: protocolVersion };
const defaultDeadlineMs = 20;
/** How long what was sent may stay unacknowledged before it is asked after. */
const askAfterMs = 50;

export interface SessionInit {
  readonly role: Role;
  readonly clock: Clock;
  readonly limits: TunnelLimits;
  readonly pool: BufferPool;
}

interface Link {
  readonly decoder: FrameDecoder;
  readonly transport: Transport;
  greeted: boolean;
  readonly startedMs: number;
  heardMs: number;
  asked: boolean;
}

/**
 * One end of a session: the state machine, without sockets and without timers of its own beside the
 * clock. A client's `connect` greets; a server's `accept` takes what `TunnelServer` has greeted.
 */
export class Session implements TunnelSession, StreamHost, FrameSink {
  readonly #role: Role;
  readonly #clock: Clock;
  readonly #limits: TunnelLimits;
  readonly #sender: Sender;
  readonly #streams: PeerStreams;
  readonly #window: ReceiveWindow;
  readonly #timer: WakeTimer;
  readonly #closing = new AbortController();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #link: Link | undefined;
  #detachedMs: number | undefined;
  #connections = 0;
  #token: Uint8Array | undefined;
  #peerStreamCredit = 0;
  #peerMaxStreams = 0;
  #accept: ((stream: TunnelStream) => void) | undefined;
  /** Complete sequenced frames that arrived, in bytes. */
  #position = 0;
  /** Of the Data frame under way: what came on this connection, and what its stream has had. */
  #frameBytes = 0;
  #frameDelivered = 0;
  /** Windows of all streams together. */
  #grantedBytes = 0;
  #ackDue = false;
  #pumpDue = false;
  #pinged = 0;

  constructor(init: SessionInit) {
    this.#role = init.role;
    this.#clock = init.clock;
    this.#limits = init.limits;
    this.#sender = new Sender(init);
    this.#streams = new PeerStreams(init.role);
    const { sessionCredit } = init.limits;
    this.#window = new ReceiveWindow({ bytes: sessionCredit, mostBytes: sessionCredit });
    this.#timer = new WakeTimer(init.clock, () => this.#tick());
  }

  get connected(): boolean {
    return this.#link?.greeted === true;
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
    return this.#position;
  }

  now(): number {
    return this.#clock.monotonic();
  }

  /** Called when a connection is ready, and when it is lost. */
  onConnection(listener: (connected: boolean) => void): void {
    this.#connectionListeners.add(listener);
  }

  onStream(accept: (stream: TunnelStream) => void): void {
    this.#accept = accept;
  }

  /** A client's new connection. One that it had is given up. */
  connect(transport: Transport): TransportEvents {
    const link = this.#attach(transport);
    const first = this.#token === undefined;
    const parameters = first
      ? this.#ownParameters()
      : { token: this.#token, position: this.#position };
    const body = encodeGreeting(versions, parameters as Parameters);
    this.#sender.unsequenced(first ? FrameType.Hello : FrameType.Resume, body);
    this.#sender.flush();
    return this.#eventsOf(link);
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
      ? { token, position: this.#position }
      : { ...this.#ownParameters(), token };
    const answer = encodeAnswer(protocolVersion, parameters);
    this.#sender.unsequenced(resumes ? FrameType.Resumed : FrameType.Welcome, answer);
    this.#ready(link, peer);
    return this.#eventsOf(link);
  }

  open(options: OpenOptions): TunnelStream {
    this.#closing.signal.throwIfAborted();
    if (this.#streams.ofThisEnd >= this.#peerMaxStreams) {
      throw closeError(
        CloseCode.TooManyStreams,
        `${this.#streams.ofThisEnd} streams are open, the peer allows ${this.#peerMaxStreams}`,
      );
    }
    const { class: streamClass, name, header = new Uint8Array() } = options;
    const { deadlineMs = defaultDeadlineMs } = options;
    const opening = { class: streamClass, deadlineMs, name, header };
    const body = encodeOpen(opening, this.#limits.streamCredit);
    const id = this.#streams.nextId();
    const stream = this.#addStream(id, opening, this.#peerStreamCredit);
    this.#sender.sequenced(FrameType.Open, id, body);
    this.#schedulePump();
    return stream;
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
    const sent = this.#sender.stats();
    return {
      ...sent,
      streams: this.#streams.size,
      receivedBytes: this.#position,
      connections: this.#connections,
    };
  }

  // What streams ask for.

  written(stream: Stream): void {
    this.#sender.offer(stream);
    this.#schedulePump();
  }

  consumed(stream: Stream, bytes: number): void {
    this.#consume(bytes);
    if (stream.finReceived || stream.closed.aborted) return;
    const rttMs = this.#sender.rttMs;
    const credit = stream.receiveWindow.grant(this.now(), {
      rttMs,
      grow: (more) => this.#growBy(more),
    });
    if (credit > 0) this.#sender.credit(stream.id, credit);
    if (this.#sender.hasCredits) this.#schedulePump();
  }

  reset(
    stream: Stream,
    { code, reason }: { readonly code: number; readonly reason: string },
  ): void {
    this.#sender.sequenced(FrameType.Reset, stream.id, encodeEnding(code, reason));
    this.#drop(stream, closeError(code, reason));
    this.#schedulePump();
  }

  // What the decoder tells.

  dataBegins(stream: number): void {
    this.#mustBeGreeted();
    this.#streams.get(stream);
    this.#frameBytes = 0;
  }

  dataPart(id: number, part: Uint8Array): void {
    const had = this.#frameBytes;
    this.#frameBytes += part.length;
    // A frame that a cut interrupted comes again from its beginning.
    if (this.#frameBytes <= this.#frameDelivered) return;
    const fresh = had < this.#frameDelivered ? part.subarray(this.#frameDelivered - had) : part;
    this.#frameDelivered = this.#frameBytes;
    if (!this.#window.arrived(fresh.length)) {
      throw closeError(CloseCode.FlowControl, 'the peer sent more than the session allows');
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#consume(fresh.length);
    if (stream.finReceived) throw closeError(CloseCode.Protocol, `stream ${id} was ended before`);
    if (!stream.arrived(fresh)) {
      throw closeError(CloseCode.FlowControl, `the peer sent more than stream ${id} allows`);
    }
  }

  dataEnds(id: number, flags: number, length: number): void {
    this.#position += headerBytes + length;
    this.#frameBytes = this.#frameDelivered = 0;
    if ((flags & ackFlag) !== 0) this.#ackDue = true;
    if ((flags & finFlag) === 0) return;
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.finArrived();
    this.#removeIfOver(stream);
  }

  frame(type: number, flags: number, stream: number, body: Uint8Array): void {
    if (!this.connected) return this.#greeted(type, body);
    if ((type & sequencedBit) !== 0) {
      this.#position += headerBytes + body.length;
      if ((flags & ackFlag) !== 0) this.#ackDue = true;
    }
    switch (type) {
      case FrameType.Ack:
        return this.#acknowledged(sized(body, 8), 0);
      case FrameType.Ping:
        return this.#answerPing(sized(body, 8));
      case FrameType.Pong:
        if (this.#link !== undefined) this.#link.asked = false;
        return this.#acknowledged(sized(body, 16), 8);
      case FrameType.Open:
        return this.#opened(stream, body);
      case FrameType.Credit:
        return this.#credited(stream, readUint32(sized(body, 4), 0));
      case FrameType.Reset:
        return this.#wasReset(stream, body);
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
    const startedMs = this.now();
    const link = {
      transport,
      decoder: new FrameDecoder(this),
      greeted: false,
      startedMs,
      heardMs: startedMs,
      asked: false,
    };
    this.#link = link;
    this.#frameBytes = 0;
    this.#ackDue = false;
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
    this.#detachedMs ??= this.now();
    this.#timer.arm(this.#detachedMs + this.#limits.resumeMs);
    if (link.greeted) for (const listener of this.#connectionListeners) listener(false);
  }

  #eventsOf(link: Link): TransportEvents {
    return {
      receive: (bytes) => {
        if (this.#link !== link) return;
        link.heardMs = this.now();
        link.asked = false;
        this.#receive(link, bytes);
      },
      drained: () => {
        if (this.#link === link) this.#pump();
      },
      closed: () => {
        if (this.#link === link) this.#detach();
      },
    };
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
    if (this.#ackDue) this.#sendAck();
    this.#pump();
  }

  /** The connection carries the session from here on. */
  #ready(link: Link, peer: Parameters): void {
    const resumes = this.#connections > 0;
    this.#connections += 1;
    if (resumes) {
      this.#checkPosition(peer.position);
      this.#sender.resume(peer.position ?? 0, this.now());
    } else {
      this.#peerStreamCredit = peer.streamCredit ?? 0;
      this.#peerMaxStreams = peer.maxStreams ?? 0;
      this.#sender.sessionCredit(peer.sessionCredit ?? 0);
    }
    link.greeted = true;
    this.#detachedMs = undefined;
    this.#timer.arm(this.now() + this.#limits.keepaliveMs);
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
    const expected = this.#connections === 0 ? FrameType.Welcome : FrameType.Resumed;
    if (link === undefined || this.#role === 'server' || type !== expected) {
      throw closeError(CloseCode.Protocol, `a frame of type ${type} does not answer a greeting`);
    }
    const { version, parameters } = decodeAnswer(body);
    if (version !== protocolVersion) {
      throw closeError(CloseCode.VersionUnsupported, `version ${version} was not offered`);
    }
    if (parameters.token === undefined) {
      throw closeError(CloseCode.Protocol, 'an answer without a token');
    }
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
    for (const stream of this.#streams) stream.fail(error);
    this.#sender.dispose();
    if (connected) for (const listener of this.#connectionListeners) listener(false);
  }

  // Frames.

  #acknowledged(body: Uint8Array, offset: number): void {
    const position = readUint64(body, offset);
    if (this.#sender.acknowledged(position, this.now())) return;
    throw closeError(CloseCode.Protocol, `position ${position} was never sent`);
  }

  #answerPing(echo: Uint8Array): void {
    this.#sender.unsequencedPosition(FrameType.Pong, this.#position, echo);
    this.#ackDue = false;
  }

  #sendAck(): void {
    this.#ackDue = false;
    this.#sender.unsequencedPosition(FrameType.Ack, this.#position);
  }

  #opened(id: number, body: Uint8Array): void {
    this.#streams.takePeerId(id);
    const { opening, streamCredit } = decodeOpen(body);
    const full = this.#streams.ofPeer >= this.#limits.maxStreams;
    const room = this.#grantedBytes + this.#limits.streamCredit <= this.#limits.sessionCredit;
    if (full || !room || this.#accept === undefined) {
      const code = this.#accept === undefined ? CloseCode.Refused : CloseCode.TooManyStreams;
      const reason =
        code === CloseCode.Refused
          ? 'nobody takes streams here'
          : `${this.#streams.ofPeer} streams are open, the most is ${this.#limits.maxStreams}`;
      this.#sender.sequenced(FrameType.Reset, id, encodeEnding(code, reason));
      return;
    }
    this.#accept(this.#addStream(id, opening, streamCredit));
  }

  #credited(id: number, bytes: number): void {
    if (id === 0) return this.#sender.sessionCredit(bytes);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.sendCredit += bytes;
    this.#sender.offer(stream);
  }

  #wasReset(id: number, body: Uint8Array): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const { code, reason } = decodeEnding(body);
    this.#drop(stream, closeError(code, reason === '' ? 'reset by the peer' : reason));
  }

  // Streams.

  #addStream(id: number, opening: Stream['opening'], sendCredit: number): Stream {
    const { streamCredit: bytes, maxStreamCredit: mostBytes } = this.#limits;
    this.#grantedBytes += bytes;
    const receiveWindow = new ReceiveWindow({ bytes, mostBytes });
    const stream = new Stream(this, { id, opening, sendCredit, receiveWindow });
    this.#streams.add(stream);
    return stream;
  }

  #growBy(bytes: number): boolean {
    if (this.#grantedBytes + bytes > this.#limits.sessionCredit) return false;
    this.#grantedBytes += bytes;
    return true;
  }

  #drop(stream: Stream, error: TaplineError): void {
    const unread = stream.fail(error);
    this.#remove(stream);
    this.#consume(unread);
  }

  #removeIfOver(stream: Stream): void {
    if (stream.closed.aborted) this.#remove(stream);
  }

  #remove(stream: Stream): void {
    if (!this.#streams.delete(stream)) return;
    this.#sender.withdraw(stream);
    this.#grantedBytes -= stream.receiveWindow.bytes;
  }

  #consume(bytes: number): void {
    this.#window.read(bytes);
    const credit = this.#window.grant(this.now(), { rttMs: 0, grow: () => false });
    if (credit > 0) this.#sender.credit(0, credit);
  }

  // Sending.

  #schedulePump(): void {
    if (this.#pumpDue || !this.connected) return;
    this.#pumpDue = true;
    queueMicrotask(() => {
      this.#pumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (!this.connected) return;
    const ended = this.#sender.pump(this.now());
    for (const stream of ended) this.#removeIfOver(stream);
    if (this.#sender.isFlooded) {
      this.close(CloseCode.Flood, 'more answers wait than the peer takes');
      return;
    }
    if (this.#sender.shouldAsk) this.#timer.arm(this.now() + askAfterMs);
  }

  // Time.

  #tick(): void {
    const now = this.now();
    const link = this.#link;
    const { keepaliveMs, handshakeMs, resumeMs } = this.#limits;
    if (link === undefined) {
      if (this.#detachedMs === undefined) return;
      const untilMs = this.#detachedMs + resumeMs;
      if (now < untilMs) return this.#timer.arm(untilMs);
      return this.#end(closeError(CloseCode.Timeout, `no connection for ${resumeMs} ms`));
    }
    const deadMs = link.greeted ? link.heardMs + keepaliveMs * 2.5 : link.startedMs + handshakeMs;
    if (now >= deadMs) return this.#detach();
    if (link.greeted) {
      const quietMs = now - link.heardMs;
      const ask = this.#sender.shouldAsk && !link.asked;
      if (ask || (quietMs >= keepaliveMs && !link.asked)) this.#ping(link);
      this.#timer.arm(
        Math.min(deadMs, link.asked ? now + keepaliveMs : link.heardMs + keepaliveMs),
      );
    } else this.#timer.arm(deadMs);
  }

  #ping(link: Link): void {
    link.asked = true;
    this.#pinged += 1;
    this.#sender.ping(this.#pinged, this.now());
    this.#sender.flush();
  }
}

function sized(body: Uint8Array, length: number): Uint8Array {
  if (body.length === length) return body;
  throw closeError(CloseCode.Protocol, `a body of ${body.length} bytes is not one of ${length}`);
}
