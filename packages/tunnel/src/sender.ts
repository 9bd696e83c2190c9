import { AckMarks } from './ack-marks.ts';
import type { BufferPool } from './buffer-pool.ts';
import { BulkWindow } from './bulk-window.ts';
import { ackFlag, finFlag, FrameType, headerBytes } from './frame.ts';
import type { TunnelLimits } from './limits.ts';
import { Outbox } from './outbox.ts';
import { Scheduler } from './scheduler.ts';
import type { Stream } from './stream.ts';
import type { Transport } from './transport.ts';
import type { TunnelStats } from './tunnel-types.ts';
import { writeHeader, writeUint32, writeUint64 } from './write-header.ts';

interface PendingFrame {
  readonly type: number;
  readonly stream: number;
  readonly body: Uint8Array;
}

/** Frames that wait to go before any data; more means that the peer asks and does not listen. */
const mostPending = 4096;
/** Answers that a transport may hold for a peer that does not read them. */
const mostUnreadBytes = 1_048_576;
const creditBytes = 4;
/** A part of the replay bytes that bulk leaves to everything else. */
const bulkShare = 7 / 8;
const none: readonly Stream[] = [];

/**
 * The sending half of a session: puts into frames what may go now, in the order in which it should,
 * and no more than the path takes without a queue.
 */
export class Sender {
  readonly #limits: TunnelLimits;
  readonly #outbox: Outbox;
  readonly #scheduler: Scheduler<Stream>;
  readonly #marks = new AckMarks();
  readonly #window: BulkWindow;
  readonly #credits = new Map<number, number>();
  #pending: PendingFrame[] = [];
  #transport: Transport | undefined;
  /** What the peer still takes on all streams together. */
  #sessionCredit = 0;
  #bytesSinceAsk = 0;
  /** Where in its buffer the last frame of this turn begins, to ask for an acknowledgement yet. */
  #lastInto: Uint8Array | undefined;
  #lastAt = 0;

  readonly #giveBack = (bytes: number, stream: number): void => {
    const at = this.#begin(FrameType.Credit, stream, creditBytes);
    writeUint32(this.#outbox.log.room(0), at, bytes);
    this.#commit(creditBytes);
  };

  constructor(init: { readonly limits: TunnelLimits; readonly pool: BufferPool }) {
    this.#limits = init.limits;
    this.#outbox = new Outbox(init.pool);
    this.#scheduler = new Scheduler(init.limits);
    this.#window = new BulkWindow({ mostBytes: init.limits.replayBytes * bulkShare });
  }

  get rttMs(): number {
    return this.#window.rttMs;
  }

  get hasCredits(): boolean {
    return this.#credits.size > 0;
  }

  get isFlooded(): boolean {
    const buffered = this.#transport?.bufferedBytes ?? 0;
    return (
      this.#pending.length > mostPending || buffered > this.#limits.transportBytes + mostUnreadBytes
    );
  }

  /** Bytes are under way, and nothing that was asked for will say when they have arrived. */
  get shouldAsk(): boolean {
    return this.#marks.count === 0 && this.#outbox.log.unacknowledged > 0;
  }

  /** Bulk waits for a window that time alone makes larger. */
  waitsForWindow(nowMs: number): boolean {
    return !this.#scheduler.isEmpty && this.#window.isOpening(nowMs);
  }

  attach(transport: Transport): void {
    this.#transport = transport;
    this.#outbox.attach(transport);
    this.#marks.clear();
  }

  detach(): void {
    this.#transport = undefined;
    this.#outbox.detach();
  }

  canResume(position: number): boolean {
    return this.#outbox.log.has(position);
  }

  /** Goes on, on a new connection, behind what the peer has. */
  resume(position: number, nowMs: number): void {
    this.#outbox.log.rewind(position);
    this.#window.restart(nowMs);
    this.#bytesSinceAsk = 0;
  }

  dispose(): void {
    this.#pending = [];
    this.#credits.clear();
    this.#outbox.log.dispose();
  }

  unsequenced(type: number, body: Uint8Array): void {
    const { into, at } = this.#outbox.unsequenced(type, body.length);
    into.set(body, at);
  }

  /** An Ack or Pong: what is echoed, then the position. */
  unsequencedPosition(type: number, position: number, echo?: Uint8Array): void {
    const before = echo?.length ?? 0;
    const { into, at } = this.#outbox.unsequenced(type, before + 8);
    if (echo !== undefined) into.set(echo, at);
    writeUint64(into, at + before, position);
  }

  ping(count: number, nowMs: number): void {
    const { into, at } = this.#outbox.unsequenced(FrameType.Ping, 8);
    writeUint64(into, at, count);
    this.#marks.add(this.#outbox.log.handed, nowMs);
  }

  sequenced(type: number, stream: number, body: Uint8Array): void {
    this.#pending.push({ type, stream, body });
  }

  /** Bytes that the peer may send more, on a stream or as 0 on the session. */
  credit(stream: number, bytes: number): void {
    this.#credits.set(stream, (this.#credits.get(stream) ?? 0) + bytes);
  }

  /** The peer takes so many bytes more on all streams together. */
  sessionCredit(bytes: number): void {
    this.#sessionCredit += bytes;
  }

  /** The stream may have something to send. */
  offer(stream: Stream): void {
    if (stream.sendable > 0 || stream.owesFin) this.#scheduler.add(stream);
  }

  /** The stream has ended. */
  withdraw(stream: Stream): void {
    this.#scheduler.remove(stream);
    this.#credits.delete(stream.id);
  }

  flush(): void {
    this.#outbox.flush(this.#limits.transportBytes);
  }

  /** False where the peer acknowledges what was never sent. */
  acknowledged(position: number, nowMs: number): boolean {
    const { log } = this.#outbox;
    const bytes = position - log.acknowledged;
    // Overtaken by a later one, as when an answer to a ping follows.
    if (bytes < 0) return true;
    if (!log.acknowledge(position)) return false;
    const sentMs = this.#marks.take(position);
    if (sentMs !== undefined) this.#window.acknowledged(bytes, sentMs, nowMs);
    return true;
  }

  /** Sends what may go. Answers the streams whose end went out. */
  pump(nowMs: number): readonly Stream[] {
    let ended = none;
    for (;;) {
      const roomy = this.#outbox.flush(this.#limits.transportBytes);
      const buffered = this.#transport?.bufferedBytes ?? Infinity;
      if (!roomy || buffered >= this.#limits.transportBytes) return ended;
      const { end } = this.#outbox.log;
      ended = this.#fill(nowMs, this.#limits.transportBytes - buffered, ended);
      if (this.#outbox.log.end === end) return ended;
    }
  }

  stats(
    nowMs: number,
  ): Omit<TunnelStats, 'streams' | 'ownStreams' | 'receivedBytes' | 'connections'> {
    const { log } = this.#outbox;
    const window = this.#window;
    return {
      sentBytes: log.end,
      resentBytes: log.resent,
      unacknowledgedBytes: log.unacknowledged,
      windowBytes: Math.round(window.bytesAt(nowMs)),
      minRttMs: window.minRttMs,
      rttMs: window.rttMs,
      bytesPerSecond: Math.round(window.bytesPerMs * 1000),
      byRate: window.isByRate,
    };
  }

  /** One turn: frames of up to `most` bytes. */
  #fill(nowMs: number, most: number, ended: readonly Stream[]): readonly Stream[] {
    const { log } = this.#outbox;
    const until = log.end + most;
    let over = ended;
    let carriesBulk = false;
    this.#lastInto = undefined;
    this.#fillPending();
    while (log.end < until) {
      const urgent = this.#sessionCredit > 0 ? this.#scheduler.urgent(nowMs) : undefined;
      const stream = urgent ?? this.#ordinary(nowMs);
      if (stream === undefined) break;
      carriesBulk ||= urgent === undefined;
      const bytes = this.#frameOf(stream, nowMs);
      if (bytes < 0) break;
      this.#scheduler.sent(stream, bytes + headerBytes);
      if (stream.owesFin || stream.sendable > 0) continue;
      this.#scheduler.remove(stream);
      if (stream.closed.aborted) over = [...over, stream];
    }
    // Bulk waits for acknowledgements, so one has to be on its way.
    if (carriesBulk && this.#marks.count === 0) this.#ask(nowMs);
    return over;
  }

  #fillPending(): void {
    // Nearly always there is none, and to go through nothing makes an iterator all the same.
    if (this.#credits.size > 0) {
      this.#credits.forEach(this.#giveBack);
      this.#credits.clear();
    }
    if (this.#pending.length === 0) return;
    for (const { type, stream, body } of this.#pending) {
      const at = this.#begin(type, stream, body.length);
      this.#outbox.log.room(0).set(body, at);
      this.#commit(body.length);
    }
    this.#pending = [];
  }

  /** A stream that goes only as far as the path takes it. */
  #ordinary(nowMs: number): Stream | undefined {
    if (this.#sessionCredit <= 0 || this.#scheduler.isEmpty) return undefined;
    const under = this.#outbox.log.unacknowledged;
    if (under > 0 && under + this.#window.frameBytes + headerBytes > this.#window.bytesAt(nowMs)) {
      this.#window.limited();
      return undefined;
    }
    if (under === 0) this.#window.began(nowMs);
    return this.#scheduler.ordinary();
  }

  /** Puts a frame of the stream in the log. Its bytes of data, or -1 where the log is full. */
  #frameOf(stream: Stream, nowMs: number): number {
    const { log } = this.#outbox;
    const length = Math.min(stream.sendable, this.#sessionCredit, this.#window.frameBytes);
    if (log.unacknowledged + length + headerBytes > this.#limits.replayBytes) return -1;
    const at = this.#begin(FrameType.Data, stream.id, length);
    const into = log.room(0);
    stream.queue.take(into, at, length);
    const fin = stream.owesFin;
    if (fin) into[at - headerBytes + 1] = finFlag;
    this.#sessionCredit -= length;
    this.#commit(length);
    stream.sent(length, fin);
    if (this.#bytesSinceAsk >= this.#window.askBytesAt(nowMs)) this.#ask(nowMs);
    return length;
  }

  #begin(type: number, stream: number, length: number): number {
    const { log } = this.#outbox;
    const into = log.room(headerBytes + length);
    const at = log.offset;
    this.#lastInto = into;
    this.#lastAt = at;
    return writeHeader(into, at, { type, flags: 0, length, stream });
  }

  #commit(length: number): void {
    this.#outbox.log.commit(headerBytes + length);
    this.#bytesSinceAsk += headerBytes + length;
  }

  /** The last frame asks for an acknowledgement. */
  #ask(nowMs: number): void {
    const into = this.#lastInto;
    if (into === undefined) return;
    const flags = this.#lastAt + 1;
    into[flags] = (into[flags] ?? 0) | ackFlag;
    this.#marks.add(this.#outbox.log.end, nowMs);
    this.#bytesSinceAsk = 0;
  }
}
