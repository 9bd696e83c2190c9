import { isTaplineError } from '@tapline/base';
import { closeCodeOf, closeError, CloseCode } from './close-code.ts';
import { encodeEnding } from './ending-body.ts';
import { FrameType, headerBytes } from './frame.ts';
import { FrameDecoder, type FrameSink } from './frame-decoder.ts';
import type { Transport, TransportEvents } from './transport.ts';
import { WakeTimer } from './wake-timer.ts';
import type { Wakeups } from './wakeups.ts';
import { writeHeader } from './write-header.ts';

export interface Greeting {
  readonly type: number;
  readonly body: Uint8Array;
}

/** What a greeting leads to; `confirmed` is called when the client has answered. */
export interface Greeted {
  readonly events: TransportEvents;
  readonly confirmed?: () => void;
}

/** What belongs to a connection only until it has greeted: then it is let go, as most are idle. */
interface Waiting {
  readonly decoder: FrameDecoder;
  readonly timer: WakeTimer;
  readonly settled: () => void;
}

/** A server's connection: its first frame says whose it is, and all others are its session's. */
export class AcceptedConnection implements TransportEvents {
  readonly #transport: Transport;
  #waiting: Waiting | undefined;
  #events: TransportEvents | undefined;
  #confirmed: (() => void) | undefined;

  constructor(
    transport: Transport,
    init: {
      readonly wakeups: Wakeups;
      /** When it has to have greeted. */
      readonly untilMs: number;
      readonly greet: (greeting: Greeting) => Greeted;
      /** It counts no more among those that have not greeted. */
      readonly settled: () => void;
    },
  ) {
    this.#transport = transport;
    const timer = new WakeTimer(init.wakeups, () => {
      this.#settle();
      transport.close();
    });
    timer.arm(init.untilMs);
    const decoder = new FrameDecoder(
      firstFrame((type, body) => {
        decoder.stop();
        const { events, confirmed } = init.greet({ type, body });
        this.#events = events;
        this.#confirmed = confirmed;
      }),
    );
    this.#waiting = { decoder, timer, settled: init.settled };
  }

  receive(bytes: Uint8Array): void {
    const taken = this.#waiting === undefined ? 0 : this.#greet(this.#waiting, bytes);
    if (taken === bytes.length) return;
    this.#confirmed?.();
    this.#confirmed = undefined;
    this.#events?.receive(taken === 0 ? bytes : bytes.subarray(taken));
  }

  drained(): void {
    this.#events?.drained();
  }

  closed(cause?: unknown): void {
    this.#settle();
    this.#events?.closed(cause);
  }

  /** How many of the bytes were the greeting's. */
  #greet({ decoder }: Waiting, bytes: Uint8Array): number {
    try {
      const taken = decoder.push(bytes);
      if (this.#events !== undefined) this.#settle();
      return taken;
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      this.#settle();
      refuse(this.#transport, error);
      return bytes.length;
    }
  }

  #settle(): void {
    this.#waiting?.timer.cancel();
    this.#waiting?.settled();
    this.#waiting = undefined;
  }
}

/** Says why, and ends it. */
export function refuse(transport: Transport, error: Error): void {
  const body = encodeEnding(closeCodeOf(error), error.message);
  const frame = new Uint8Array(headerBytes + body.length);
  const header = { type: FrameType.Close, flags: 0, length: body.length, stream: 0 };
  frame.set(body, writeHeader(frame, 0, header));
  transport.write(frame);
  transport.close();
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
