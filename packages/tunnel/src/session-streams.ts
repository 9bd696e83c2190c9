import type { Clock, TaplineError } from '@tapline/base';
import { closeError, CloseCode } from './close-code.ts';
import { decodeEnding, encodeEnding } from './ending-body.ts';
import { FrameType } from './frame.ts';
import type { TunnelLimits } from './limits.ts';
import { decodeOpen, encodeOpen } from './open-body.ts';
import { PeerStreams, type Role } from './peer-streams.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { Sender } from './sender.ts';
import { Stream, type StreamHost } from './stream.ts';
import type { OpenOptions, TunnelStream } from './tunnel-types.ts';

const defaultDeadlineMs = 20;

/** The streams of a session: who may open them, what was granted to the peer, and their frames. */
export class SessionStreams implements StreamHost {
  readonly #clock: Clock;
  readonly #limits: TunnelLimits;
  readonly #sender: Sender;
  readonly #streams: PeerStreams;
  /** What the peer may send on all of them together. */
  readonly #window: ReceiveWindow;
  readonly #onWork: () => void;
  #accept: ((stream: TunnelStream) => void) | undefined;
  #peerStreamCredit = 0;
  #peerMaxStreams = 0;
  /** Windows of all streams together. */
  #grantedBytes = 0;

  constructor(init: {
    readonly role: Role;
    readonly clock: Clock;
    readonly limits: TunnelLimits;
    readonly sender: Sender;
    /** There may be something to send. */
    readonly onWork: () => void;
  }) {
    this.#clock = init.clock;
    this.#limits = init.limits;
    this.#sender = init.sender;
    this.#onWork = init.onWork;
    this.#streams = new PeerStreams(init.role);
    const { sessionCredit } = init.limits;
    this.#window = new ReceiveWindow({ bytes: sessionCredit, mostBytes: sessionCredit });
  }

  get size(): number {
    return this.#streams.size;
  }

  get ofThisEnd(): number {
    return this.#streams.ofThisEnd;
  }

  onStream(accept: (stream: TunnelStream) => void): void {
    this.#accept = accept;
  }

  /** What the peer grants, as it has said in its greeting. */
  granted(peer: { readonly streamCredit: number; readonly maxStreams: number }): void {
    this.#peerStreamCredit = peer.streamCredit;
    this.#peerMaxStreams = peer.maxStreams;
  }

  open(options: OpenOptions): TunnelStream {
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
    this.#onWork();
    return stream;
  }

  /** The peer's data: throws `tunnel_credit_exceeded`, `tunnel_frame_invalid`. */
  data(id: number, part: Uint8Array): void {
    if (!this.#window.arrived(part.length)) {
      throw closeError(CloseCode.FlowControl, 'the peer sent more than the session allows');
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#consume(part.length);
    if (stream.finReceived) throw closeError(CloseCode.Protocol, `stream ${id} was ended before`);
    if (!stream.arrived(part)) {
      throw closeError(CloseCode.FlowControl, `the peer sent more than stream ${id} allows`);
    }
  }

  /** Throws `tunnel_frame_invalid` for a stream that never was. */
  check(id: number): void {
    this.#streams.get(id);
  }

  dataEnded(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.finArrived();
    this.removeIfOver(stream);
  }

  opened(id: number, body: Uint8Array): void {
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

  credited(id: number, bytes: number): void {
    if (id === 0) return this.#sender.sessionCredit(bytes);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.sendCredit += bytes;
    this.#sender.offer(stream);
  }

  wasReset(id: number, body: Uint8Array): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const { code, reason } = decodeEnding(body);
    this.#drop(stream, closeError(code, reason === '' ? 'reset by the peer' : reason));
  }

  removeIfOver(stream: Stream): void {
    if (stream.closed.aborted) this.#remove(stream);
  }

  failAll(error: TaplineError): void {
    for (const stream of this.#streams) stream.fail(error);
  }

  now(): number {
    return this.#clock.monotonic();
  }

  // What streams ask for.

  written(stream: Stream): void {
    this.#sender.offer(stream);
    this.#onWork();
  }

  consumed(stream: Stream, bytes: number): void {
    this.#consume(bytes);
    if (stream.finReceived || stream.closed.aborted) return;
    const { receiveWindow } = stream;
    const credit = receiveWindow.owes
      ? receiveWindow.grant(this.now(), {
          rttMs: this.#sender.rttMs,
          grow: (more) => this.#growBy(more),
        })
      : 0;
    if (credit > 0) this.#sender.credit(stream.id, credit);
    if (this.#sender.hasCredits) this.#onWork();
  }

  reset(
    stream: Stream,
    { code, reason }: { readonly code: number; readonly reason: string },
  ): void {
    this.#sender.sequenced(FrameType.Reset, stream.id, encodeEnding(code, reason));
    this.#drop(stream, closeError(code, reason));
    this.#onWork();
  }

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

  #remove(stream: Stream): void {
    if (!this.#streams.delete(stream)) return;
    this.#sender.withdraw(stream);
    this.#grantedBytes -= stream.receiveWindow.bytes;
  }

  #consume(bytes: number): void {
    this.#window.read(bytes);
    if (!this.#window.owes) return;
    const credit = this.#window.grant(this.now(), { rttMs: 0, grow: () => false });
    if (credit > 0) this.#sender.credit(0, credit);
  }
}
