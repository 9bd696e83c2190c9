import { DelayWindow } from './delay-window.ts';
import { DeliveryRate } from './delivery-rate.ts';
import { PathDelay } from './path-delay.ts';
import { RateWindow } from './rate-window.ts';

/** How long bulk goes by rate before delay is tried again; longer and longer while that fails. */
const firstTrialMs = 1000;
const mostTrialMs = 8000;
/** By delay for a shorter time than this, it has failed. */
const failedMs = 2000;

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

  constructor(init: { readonly mostBytes: number }) {
    this.#mostBytes = init.mostBytes;
    this.#delay = new DelayWindow({ ...init, path: this.#path, rates: this.#rates });
  }

  bytesAt(nowMs: number): number {
    if (this.#byRate === undefined) return this.#delay.bytesAt(nowMs);
    return Math.min(this.#mostBytes, this.#byRate.bytes);
  }

  /** Whether time alone makes it larger. */
  isOpening(nowMs: number): boolean {
    return this.#byRate === undefined && this.#delay.isOpening(nowMs);
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

  get isByRate(): boolean {
    return this.#byRate !== undefined;
  }

  /** The sender had more to send than it was let. */
  limited(): void {
    this.#delay.limited();
  }

  /** `bytes` were acknowledged; `sentMs` is when the last of them were sent. */
  acknowledged(bytes: number, sentMs: number, nowMs: number): void {
    const rttMs = Math.max(nowMs - sentMs, 0.01);
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
