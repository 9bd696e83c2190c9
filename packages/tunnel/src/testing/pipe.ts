import type { Transport, TransportEvents } from '../transport.ts';

/** One direction of a connection that is moved by hand: split anywhere, late, cut anywhere. */
class Direction {
  readonly queue: Uint8Array[] = [];
  bytes = 0;

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    // As a socket would: what the sender does with its buffer later must not matter before an Ack.
    this.queue.push(bytes);
    this.bytes += bytes.length;
  }

  take(most: number): Uint8Array | undefined {
    const [first] = this.queue;
    if (first === undefined) return undefined;
    const part = first.subarray(0, most);
    if (part.length === first.length) this.queue.shift();
    else this.queue[0] = first.subarray(part.length);
    this.bytes -= part.length;
    return part;
  }
}

export interface PipeEnd extends Transport {
  /** Who hears of what arrives here. */
  events: TransportEvents | undefined;
}

/** Two transports that are each other's peer. */
export interface Pipe {
  readonly left: PipeEnd;
  readonly right: PipeEnd;
  /** Delivers up to `most` bytes towards an end; whether there were any. */
  deliver(to: 'left' | 'right', most?: number): boolean;
  /** Bytes on their way to an end. */
  waiting(to: 'left' | 'right'): number;
  /** What is on its way is lost. */
  cut(): void;
  readonly closed: boolean;
}

export function createPipe(options: { readonly reportBuffered?: boolean } = {}): Pipe {
  const toLeft = new Direction();
  const toRight = new Direction();
  let closed = false;

  function end(out: Direction): PipeEnd {
    return {
      events: undefined,
      write: (bytes) => {
        if (!closed) out.write(bytes);
      },
      get bufferedBytes() {
        return options.reportBuffered === true ? out.bytes : 0;
      },
      close: () => {
        closed = true;
      },
    };
  }
  const left = end(toRight);
  const right = end(toLeft);
  const ends = {
    left: { end: left, other: right, coming: toLeft },
    right: { end: right, other: left, coming: toRight },
  };
  return {
    left,
    right,
    deliver(to, most = Infinity) {
      const { end: receiver, other, coming } = ends[to];
      const part = coming.take(most);
      if (part === undefined) return false;
      // A copy: whoever receives may keep it, whatever the sender's buffer holds next.
      receiver.events?.receive(part.slice());
      if (!closed) other.events?.drained();
      return true;
    },
    waiting: (to) => ends[to].coming.bytes,
    cut() {
      closed = true;
      toLeft.queue.length = toRight.queue.length = 0;
      toLeft.bytes = toRight.bytes = 0;
      left.events?.closed();
      right.events?.closed();
    },
    get closed() {
      return closed;
    },
  };
}
