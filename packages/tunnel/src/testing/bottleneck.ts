import { BulkWindow } from '../bulk-window.ts';

export interface BottleneckOptions {
  readonly mbitPerSecond: number;
  /** Of the path, without a queue. */
  readonly rttMs: number;
  /** What the queue holds. */
  readonly bufferMs: number;
  readonly seconds: number;
  /**
   * Share of segments that are lost on the way. TCP then does not mind, as BBR: it sends at the path's rate,
   * up to twice what the path holds.
   */
  readonly loss?: number;
  /** How often, and for how long, the receiver's machine has other things to do. */
  readonly stalls?: { readonly everyMs: number; readonly ms: number };
  /** When a flow without our window shares the bottleneck, in seconds. */
  readonly competitor?: { readonly from: number; readonly to: number };
}

export interface BottleneckResult {
  /** Our share of the bottleneck, 0 to 1, in each second. */
  readonly shares: readonly number[];
  /** Delay in the queue, sampled each 10 ms, in order of time. */
  readonly queueMs: readonly number[];
  readonly window: BulkWindow;
}

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

const segmentBytes = 1448;

/** Time that passes from event to event. */
class Timeline {
  nowMs = 0;
  readonly #events: Event[] = [];

  at(atMs: number, run: () => void): void {
    // The latest first, so that the next is the last.
    let index = 0;
    for (let end = this.#events.length; index < end;) {
      const middle = (index + end) >> 1;
      if ((this.#events[middle]?.atMs ?? 0) > atMs) index = middle + 1;
      else end = middle;
    }
    this.#events.splice(index, 0, { atMs, run });
  }

  runUntil(endMs: number): void {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      if (event.atMs >= endMs) return;
      this.nowMs = event.atMs;
      event.run();
    }
  }
}

/** TCP, in short: segments while its congestion window allows, lost ones again, all in order. */
class TcpFlow {
  readonly #time: Timeline;
  readonly #options: BottleneckOptions;
  readonly #enqueue: (bytes: number) => number | undefined;
  readonly #onDelivered: (segments: number) => void;
  #window = 10;
  #threshold = Infinity;
  #reducedMs = -Infinity;
  /** Between segments, and when the next one may go; 0 where they go as they come. */
  #paceMs = 0;
  #nextMs = 0;
  #waits = false;
  #random = 7;
  #under = 0;
  #next = 0;
  #delivered = 0;
  readonly #ahead = new Set<number>();
  /** Segments that the application has written. */
  written = 0;

  constructor(
    time: Timeline,
    options: BottleneckOptions,
    wiring: {
      readonly enqueue: (bytes: number) => number | undefined;
      readonly onDelivered: (segments: number) => void;
    },
  ) {
    this.#time = time;
    this.#options = options;
    this.#enqueue = wiring.enqueue;
    this.#onDelivered = wiring.onDelivered;
    if (options.loss === undefined) return;
    const heldMs = Math.max(options.rttMs, 1);
    this.#window = Math.max(10, (2 * heldMs * options.mbitPerSecond * 125) / segmentBytes);
    this.#paceMs = segmentBytes / (options.mbitPerSecond * 125);
  }

  send(): void {
    while (this.#next < this.written && this.#under + 1 <= this.#window) {
      if (this.#paceMs > 0 && this.#isTooSoon()) return;
      this.#under += 1;
      this.#transmit(this.#next);
      this.#next += 1;
    }
  }

  #isTooSoon(): boolean {
    const { nowMs } = this.#time;
    if (this.#nextMs > nowMs) {
      if (!this.#waits) {
        this.#waits = true;
        this.#time.at(this.#nextMs, () => {
          this.#waits = false;
          this.send();
        });
      }
      return true;
    }
    this.#nextMs = Math.max(this.#nextMs, nowMs - this.#paceMs) + this.#paceMs;
    return false;
  }

  #isLost(): boolean {
    // Numerical Recipes' generator: the same losses in each run.
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random / 2 ** 32 < (this.#options.loss ?? 0);
  }

  #transmit(segment: number): void {
    const { rttMs, bufferMs } = this.#options;
    const leftMs = this.#enqueue(segmentBytes);
    if (leftMs !== undefined && this.#isLost()) {
      return this.#time.at(leftMs + rttMs + 1, () => this.#transmit(segment));
    }
    if (leftMs !== undefined) return this.#time.at(leftMs + rttMs, () => this.#arrive(segment));
    this.#time.at(this.#time.nowMs + rttMs + bufferMs, () => {
      if (this.#paceMs === 0 && this.#time.nowMs - this.#reducedMs > rttMs + bufferMs) {
        this.#window = this.#threshold = Math.max(2, this.#window * 0.7);
        this.#reducedMs = this.#time.nowMs;
      }
      this.#transmit(segment);
    });
  }

  #arrive(segment: number): void {
    const limited = this.#under + 1 >= this.#window;
    this.#under -= 1;
    if (limited && this.#paceMs === 0) {
      const { rttMs, bufferMs } = this.#options;
      // A window that comes back within seconds, as CUBIC's does.
      const growth = Math.max(1 / this.#window, 0.3 / (rttMs + bufferMs));
      this.#window += this.#window < this.#threshold ? 1 : growth;
    }
    this.#ahead.add(segment);
    let segments = 0;
    for (; this.#ahead.delete(this.#delivered); this.#delivered += 1) segments += 1;
    if (segments > 0) this.#onDelivered(segments);
    this.send();
  }
}

/** Runs a window over a TCP connection through a bottleneck with one queue, in simulated time. */
export function simulateBottleneck(options: BottleneckOptions): BottleneckResult {
  const { mbitPerSecond, bufferMs, seconds, competitor } = options;
  const perMs = mbitPerSecond * 125;
  const window = new BulkWindow({ mostBytes: 16 * 1_048_576 });
  const time = new Timeline();
  const shares = Array.from({ length: seconds }, () => 0);
  const queueMs: number[] = [];
  let freeMs = 0;

  /** When bytes have left the queue, or undefined where it is full. */
  function enqueue(bytes: number): number | undefined {
    const startMs = Math.max(time.nowMs, freeMs);
    if (startMs - time.nowMs + bytes / perMs > bufferMs) return undefined;
    freeMs = startMs + bytes / perMs;
    return freeMs;
  }

  const frames: { readonly segments: number; readonly sentMs: number; asks: boolean }[] = [];
  let received = 0;
  let arrived = 0;
  let sinceAsk = 0;
  let under = 0;
  let isTicking = false;
  let held = 0;

  /** When the receiver will have time; now, unless it is busy. */
  function takesAtMs(): number {
    const { everyMs, ms } = options.stalls ?? { everyMs: 1, ms: 0 };
    const busyMs = time.nowMs % everyMs;
    return busyMs < ms ? time.nowMs + ms - busyMs : time.nowMs;
  }

  function take(segments: number): void {
    received += segments;
    for (let frame = frames[0]; frame !== undefined && frame.segments <= received;) {
      frames.shift();
      received -= frame.segments;
      const bytes = frame.segments * segmentBytes;
      arrived += bytes;
      const second = Math.floor(time.nowMs / 1000);
      shares[second] = (shares[second] ?? 0) + bytes / (perMs * 1000);
      if (frame.asks) {
        under -= arrived;
        window.acknowledged(arrived, frame.sentMs, time.nowMs);
        arrived = 0;
      }
      [frame] = frames;
    }
    sendFrames();
  }

  const ours = new TcpFlow(time, options, {
    enqueue,
    onDelivered(segments) {
      const atMs = takesAtMs();
      if (atMs === time.nowMs) return take(segments);
      if (held === 0) {
        time.at(atMs, () => {
          const all = held;
          held = 0;
          take(all);
        });
      }
      held += segments;
    },
  });

  function sendFrames(): void {
    for (;;) {
      const segments = Math.ceil(window.frameBytes / segmentBytes);
      const bytes = segments * segmentBytes;
      if (under > 0 && under + bytes > window.bytesAt(time.nowMs)) break;
      if (under === 0) window.began(time.nowMs);
      under += bytes;
      sinceAsk += bytes;
      const asks = sinceAsk >= window.askBytesAt(time.nowMs);
      if (asks) sinceAsk = 0;
      frames.push({ segments, sentMs: time.nowMs, asks });
      ours.written += segments;
    }
    const last = frames.at(-1);
    if (last !== undefined && !frames.some(({ asks }) => asks)) {
      last.asks = true;
      sinceAsk = 0;
    }
    ours.send();
    window.limited();
    if (isTicking || !window.isOpening(time.nowMs)) return;
    isTicking = true;
    time.at(time.nowMs + 1, () => {
      isTicking = false;
      sendFrames();
    });
  }

  time.at(0, sendFrames);
  if (competitor !== undefined) {
    const other = new TcpFlow(time, options, { enqueue, onDelivered() {} });
    time.at(competitor.from * 1000, () => {
      other.written = Infinity;
      other.send();
    });
    time.at(competitor.to * 1000, () => {
      other.written = 0;
    });
  }
  for (let ms = 0; ms < seconds * 1000; ms += 10) {
    time.at(ms, () => void queueMs.push(Math.max(0, freeMs - time.nowMs)));
  }
  time.runUntil(seconds * 1000);
  return { shares, queueMs, window };
}
