import { TaplineError } from '@tapline/base';
import type { StreamClass, StreamOpening } from './open-body.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { ReceiveWindow } from './receive-window.ts';
import { SendQueue } from './send-queue.ts';
import type { Schedulable } from './scheduler.ts';
import type { TunnelStream } from './tunnel-types.ts';

/** What a stream needs of its session. */
export interface StreamHost {
  now(): number;
  /** The stream may have something to send now. */
  written(stream: Stream): void;
  /** Its reader took bytes. */
  consumed(stream: Stream, bytes: number): void;
  reset(stream: Stream, ending: { readonly code: number; readonly reason: string }): void;
}

/** Bytes that wait for their frames before a writer is asked to wait. */
const highWaterBytes: Readonly<Record<StreamClass, number>> = {
  control: 65_536,
  interactive: 65_536,
  bulk: 262_144,
};

export class Stream implements TunnelStream, Schedulable {
  readonly id: number;
  readonly opening: StreamOpening;
  readonly receiveWindow: ReceiveWindow;
  /** What may still be sent. */
  sendCredit: number;
  scheduled = false;
  deficit = 0;
  deadlineAtMs = 0;
  readonly queue: SendQueue = new SendQueue();
  #fin: 'none' | 'queued' | 'sent' = 'none';
  #finReceived = false;
  readonly #host: StreamHost;
  readonly #received = new ReceiveQueue();
  readonly #closing = new AbortController();
  #error: unknown;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(
    host: StreamHost,
    init: {
      readonly id: number;
      readonly opening: StreamOpening;
      readonly sendCredit: number;
      readonly receiveWindow: ReceiveWindow;
    },
  ) {
    this.#host = host;
    this.id = init.id;
    this.opening = init.opening;
    this.sendCredit = init.sendCredit;
    this.receiveWindow = init.receiveWindow;
  }

  get class(): StreamClass {
    return this.opening.class;
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Bytes that a frame could carry now, and whether a frame with no bytes is to go. */
  get sendable(): number {
    return Math.min(this.queue.bytes, this.sendCredit);
  }

  get owesFin(): boolean {
    return this.#fin === 'queued' && this.queue.bytes === 0;
  }

  get finReceived(): boolean {
    return this.#finReceived;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#error !== undefined) throw this.#error;
    if (this.#fin !== 'none') {
      throw new TaplineError('stream_closed', `stream ${this.id} was ended by this side`);
    }
    if (this.queue.bytes === 0) this.deadlineAtMs = this.#host.now() + this.opening.deadlineMs;
    this.queue.push(bytes);
    this.#host.written(this);
    return this.queue.bytes < highWaterBytes[this.class];
  }

  writable(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.queue.bytes < highWaterBytes[this.class]) return Promise.resolve();
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  end(): void {
    if (this.#fin !== 'none' || this.#error !== undefined) return;
    this.#fin = 'queued';
    this.#host.written(this);
  }

  async read(): Promise<Uint8Array | undefined> {
    const piece = this.#received.shift() ?? (await this.#received.wait());
    if (piece !== undefined) {
      this.receiveWindow.read(piece.length);
      this.#host.consumed(this, piece.length);
    }
    return piece;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const piece = await this.read();
      if (piece === undefined) return;
      yield piece;
    }
  }

  reset(code: number, reason: string): void {
    if (this.#closing.signal.aborted) return;
    this.#host.reset(this, { code, reason });
  }

  /** `bytes` of the queue are in a frame; `fin` that it was the last. */
  sent(bytes: number, fin: boolean): void {
    this.sendCredit -= bytes;
    if (fin) this.#fin = 'sent';
    if (this.queue.bytes > 0) this.deadlineAtMs = this.#host.now() + this.opening.deadlineMs;
    if (this.#room !== undefined && this.queue.bytes <= highWaterBytes[this.class] / 2) {
      this.#room.resolve();
      this.#room = undefined;
    }
    this.#closeIfOver();
  }

  /** Whether the peer was allowed to send it. */
  arrived(part: Uint8Array): boolean {
    const allowed = this.receiveWindow.arrived(part.length);
    if (allowed) this.#received.push(part);
    return allowed;
  }

  finArrived(): void {
    this.#finReceived = true;
    this.#received.end();
    this.#closeIfOver();
  }

  /** Ends both ways. Answers how many bytes nobody will read any more. */
  fail(error: unknown): number {
    if (this.#closing.signal.aborted) return 0;
    this.#error = error;
    this.queue.clear();
    this.#received.fail(error);
    this.#room?.reject(error);
    this.#room = undefined;
    this.#closing.abort(error);
    const { unread } = this.receiveWindow;
    this.receiveWindow.read(unread);
    return unread;
  }

  #closeIfOver(): void {
    if (this.#fin === 'sent' && this.#finReceived) this.#closing.abort('ended');
  }
}
