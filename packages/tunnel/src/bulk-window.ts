import { DelayWindow } from './delay-window.ts';
import { DeliveryRate } from './delivery-rate.ts';
import { headerBytes, maxBodyBytes } from './frame.ts';
import { PathDelay } from './path-delay.ts';
import { RateWindow } from './rate-window.ts';

/** How long bulk goes by rate before delay is tried again; longer and longer while that fails. */
const firstTrialMs = 1000;
const mostTrialMs = 8000;
/** By delay for a shorter time than this, it has failed. */
const failedMs = 2000;

const leastFrameBytes = 2048;
/** With its header a record of TLS, and a quarter of a buffer: its receiver has it in one piece. */
const mostFrameBytes = maxBodyBytes - headerBytes;
const leastAskBytes = 2048;
const askMs = 1;
/** Answers that are later than this are bridged, for so long. */
const bridgeAfterMs = 1;
const mostBridgeMs = 4;
/** A window larger than this has no need of it, and would have more to send again after a cut. */
const mostBridgedBytes = 524_288;

/**
 * What bulk may have under way. By delay, as long as that is our own queue's; by rate where it is
 * not: behind losses, beside another flow, and at first, while TCP looks for what the path takes. By
 * delay is better, so that is tried again from time to time.
 */
export class BulkWindow {
  readonly #path = new PathDelay();
  readonly #rates = new DeliveryRate();
  readonly #delay: DelayWindow;
  readonly #mostBytes: number;
  #byRate: RateWindow | undefined = new RateWindow(this.#path, { excessMs: 0, nowMs: 0 });
  /** Since when it is as it is: by rate or by delay. */
  #sinceMs = -Infinity;
  /** Of the time by rate; 0 where it is a start. */
  #trialMs = 0;
  /** When the peer was heard last of bulk. */
  #heardMs = 0;

  constructor(init: { readonly mostBytes: number }) {
    this.#mostBytes = init.mostBytes;
    this.#delay = new DelayWindow({ ...init, path: this.#path, rates: this.#rates });
  }

  bytesAt(nowMs: number): number {
    if (this.#byRate === undefined) return this.#delay.bytesAt(nowMs) + this.#bridgeAt(nowMs);
    return Math.min(this.#mostBytes, this.#byRate.bytes);
  }

  /** Whether time alone makes it larger. */
  isOpening(nowMs: number): boolean {
    if (this.#byRate !== undefined) return false;
    return this.#delay.isOpening(nowMs) || this.#silenceMs(nowMs) < bridgeAfterMs + mostBridgeMs;
  }

  get minRttMs(): number {
    return this.#path.minRttMs;
  }

  get rttMs(): number {
    return this.#path.rttMs;
  }

  get bytesPerMs(): number {
    return this.#byRate?.bytesPerMs ?? this.#delay.bytesPerMs;
  }

  /** Small on a slow path, where a frame takes its time to pass: about half a millisecond's worth. */
  get frameBytes(): number {
    const rate = this.bytesPerMs;
    if (rate === 0) return maxBodyBytes / 4;
    return Math.floor(Math.min(mostFrameBytes, Math.max(leastFrameBytes, rate / 2)));
  }

  /**
   * After how many bytes to ask how far they have come. What is acknowledged at once is sent at once, and is a
   * queue of its own: so a millisecond's worth, and no less than what an answer costs its sender.
   */
  askBytesAt(nowMs: number): number {
    const share = this.bytesAt(nowMs) / 8;
    const rate = this.bytesPerMs;
    return Math.max(leastAskBytes, rate === 0 ? share : Math.min(share, rate * askMs));
  }

  get isByRate(): boolean {
    return this.#byRate !== undefined;
  }

  /** Bulk goes where nothing was under way: the first answer is a round trip away. */
  began(nowMs: number): void {
    this.#heardMs = nowMs + this.#path.rttMs;
  }

  /** The sender had more to send than it was let. */
  limited(): void {
    this.#delay.limited();
  }

  /** `bytes` were acknowledged; `sentMs` is when the last of them were sent. */
  acknowledged(bytes: number, sentMs: number, nowMs: number): void {
    const rttMs = Math.max(nowMs - sentMs, 0.01);
    this.#heardMs = nowMs;
    this.#path.took(rttMs);
    // An answer to a ping of an idle tunnel tells of the path alone.
    if (bytes === 0) return;
    this.#rates.acknowledged(bytes, rttMs, nowMs);
    if (this.#byRate === undefined) {
      this.#delay.acknowledged(bytes, sentMs, nowMs);
      if (this.#delay.isPowerless) this.#goByRate(nowMs);
      return;
    }
    this.#byRate.acknowledged(bytes, sentMs, nowMs);
    if (!this.#byRate.isFull || nowMs - this.#sinceMs < this.#trialMs) return;
    this.#tryDelay(this.#byRate, nowMs);
  }

  /** Another path: what was known of the old one does not count. */
  restart(nowMs: number): void {
    this.#path.restart();
    this.#rates.restart(0);
    this.#byRate = new RateWindow(this.#path, { excessMs: 0, nowMs });
    this.#sinceMs = nowMs;
    this.#trialMs = 0;
  }

  #silenceMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  /**
   * While answers are late, as a receiver's machine has other things to do, the path goes on taking what it
   * takes. So it is given that for a while, and does not run empty; a path that has really become slow has a
   * queue of so much more.
   */
  #bridgeAt(nowMs: number): number {
    const ms = Math.min(mostBridgeMs, this.#silenceMs(nowMs) - bridgeAfterMs);
    if (ms <= 0) return 0;
    const room = mostBridgedBytes - this.#delay.bytesAt(nowMs);
    return Math.max(0, Math.min(ms * this.#delay.bytesPerMs, room));
  }

  #goByRate(nowMs: number): void {
    const hasFailed = nowMs - this.#sinceMs < failedMs;
    this.#trialMs = hasFailed
      ? Math.min(Math.max(firstTrialMs, 2 * this.#trialMs), mostTrialMs)
      : firstTrialMs;
    this.#sinceMs = nowMs;
    const { excessMs } = this.#delay;
    this.#byRate = new RateWindow(this.#path, { excessMs, nowMs });
  }

  #tryDelay(byRate: RateWindow, nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#byRate = undefined;
    this.#rates.restart(byRate.bytesPerMs);
    this.#delay.begin(byRate.bytesPerMs, nowMs);
  }
}
