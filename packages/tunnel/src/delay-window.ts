import type { DeliveryRate } from './delivery-rate.ts';
import type { PathDelay } from './path-delay.ts';

const floorBytes = 8192;
const firstBytes = 65_536;
const leastCycleMs = 2;
const probeMs = 8000;
/** Of what the path holds at the best rate that was seen: a smaller window makes no queue. */
const floorShare = 0.9;
/** Delay that stands for so many cycles, and for so long, whatever the window is, is not its own queue. */
const standingCycles = 6;
const standingMs = 250;
const doubtfulProbeMs = 4000;

/**
 * How many bytes bulk may have under way: as many as the path takes without a queue of more than a
 * target delay. Queues in kernels and routers are out of a sender's sight but in every round trip.
 *
 * A cycle begins when the window changes and ends when a byte sent after that has come back, so that
 * each decision is judged by its own effect. The least round trip of a cycle is its standing one:
 * stalls of a busy machine and retransmissions are longer, and pass it by.
 *
 * The least round trip is believed for 8 s. Then the window is drained for a cycle. Delay that stays
 * however small the window becomes is none of ours: `isPowerless`.
 */
export class DelayWindow {
  readonly #mostBytes: number;
  readonly #path: PathDelay;
  readonly #rates: DeliveryRate;
  #bytes = firstBytes;
  /** Where and when it began to become as large as it is. */
  #openedFrom = firstBytes;
  #openedMs = -Infinity;
  #starting = false;
  /** The largest share that the window may grow by in a cycle, as doubled by quiet cycles. */
  #quietCycles = 0;
  #draining = false;
  #beforeDrain = 0;
  #probedMs = 0;
  #excessMs = 0;
  #standing = 0;
  #standingFromMs = 0;

  #cycleMs = 0;
  #cycleRtt = Infinity;
  #cycleRttSum = 0;
  #cycleBytes = 0;
  #cycleLimited = false;
  #cycleSamples = 0;
  #rate = 0;

  constructor(init: {
    readonly mostBytes: number;
    readonly path: PathDelay;
    readonly rates: DeliveryRate;
  }) {
    this.#mostBytes = init.mostBytes;
    this.#path = init.path;
    this.#rates = init.rates;
  }

  /** A larger window is opened over a round trip: what is sent at once is a queue at once. */
  bytesAt(nowMs: number): number {
    const share = (nowMs - this.#openedMs) / this.#openingMs;
    if (!(share < 1)) return this.#bytes;
    return this.#openedFrom + (this.#bytes - this.#openedFrom) * Math.max(0, share);
  }

  /** Whether time alone makes it larger. */
  isOpening(nowMs: number): boolean {
    return nowMs - this.#openedMs < this.#openingMs;
  }

  get #openingMs(): number {
    return this.#path.minRttMs / 2;
  }

  get bytesPerMs(): number {
    return this.#rate;
  }

  /** A smaller window would make bulk slower, and no delay less. */
  get isPowerless(): boolean {
    return this.#standing >= standingCycles;
  }

  /** How much longer than the path's own a round trip takes, on average. */
  get excessMs(): number {
    return this.#excessMs;
  }

  /** The sender had more to send than the window let it. */
  limited(): void {
    this.#cycleLimited = true;
  }

  /** `bytes` were acknowledged; `sentMs` is when the last of them were sent. */
  acknowledged(bytes: number, sentMs: number, nowMs: number): void {
    const rtt = nowMs - sentMs;
    this.#cycleBytes += bytes;
    // What was sent before the window was open tells of the one before.
    if (sentMs < this.#cycleMs || this.isOpening(sentMs)) return;
    this.#cycleSamples += 1;
    this.#cycleRtt = Math.min(this.#cycleRtt, rtt);
    this.#cycleRttSum += rtt;
    if (nowMs - this.#cycleMs < Math.max(leastCycleMs, rtt / 2)) return;
    if (this.#cycleSamples < 4 && this.#cycleBytes < this.#bytes) return;
    this.#endCycle(nowMs);
  }

  /** Begins with what the path holds at a rate that was measured, after a look at the path. */
  begin(bytesPerMs: number, nowMs: number): void {
    const { minRttMs, ownMs } = this.#path;
    this.#rate = bytesPerMs;
    this.#starting = false;
    this.#quietCycles = this.#standing = this.#excessMs = 0;
    this.#bytes = bytesPerMs * (minRttMs + ownMs);
    this.#openedMs = -Infinity;
    this.#drain(nowMs);
    this.#begin(nowMs);
  }

  #begin(nowMs: number): void {
    this.#cycleMs = nowMs;
    this.#cycleRtt = Infinity;
    this.#cycleRttSum = 0;
    this.#cycleBytes = this.#cycleSamples = 0;
    this.#cycleLimited = false;
  }

  #endCycle(nowMs: number): void {
    const rate = this.#cycleBytes / (nowMs - this.#cycleMs);
    this.#rate = this.#rate === 0 ? rate : this.#rate + (rate - this.#rate) / 4;
    if (this.#draining) this.#endDrain(nowMs);
    else if (this.#wantsDrain(nowMs)) this.#drain(nowMs);
    else this.#adapt(nowMs);
    this.#begin(nowMs);
  }

  #adapt(nowMs: number): void {
    // Small traffic finds no queue of ours, and what delays it is no reason to have less.
    if (!this.#cycleLimited && this.#cycleBytes < this.#bytes / 4) return;
    this.#lookAtExcess(nowMs);
    const base = this.#path.minRttMs;
    const target = this.#path.ownMs;
    const queued = this.#cycleRtt - base;
    if (queued >= target) return this.#shrink(base + target, nowMs);
    if (!this.#cycleLimited) return;
    if (this.#starting) {
      this.#set(this.#bytes * (queued < target / 2 ? 1.5 : 1.125), nowMs);
      return;
    }
    // Growth shows a round trip later. So it is small against that, and doubles while nothing shows.
    this.#quietCycles = queued < target / 2 ? this.#quietCycles + 1 : 0;
    const step = ((target - queued) / Math.max(base, target)) * 2 ** this.#quietCycles;
    this.#set(this.#bytes * (1 + Math.min(0.25, step)), nowMs);
    if (this.#quietCycles >= 3) this.#starting = false;
  }

  #shrink(wantedMs: number, nowMs: number): void {
    this.#starting = false;
    this.#quietCycles = 0;
    const fit = Math.max((this.#bytes * wantedMs) / this.#cycleRtt, this.#bytes / 2);
    const { minRttMs, ownMs } = this.#path;
    const least = Math.min(this.#bytes, this.#rates.best * (minRttMs + ownMs / 2) * floorShare);
    this.#set(Math.max(fit, least), nowMs);
  }

  /** The mean of a cycle has what its least has not: what waits behind losses now and then. */
  #lookAtExcess(nowMs: number): void {
    const excess = this.#cycleRttSum / this.#cycleSamples - this.#path.minRttMs;
    this.#excessMs += (excess - this.#excessMs) / 4;
    if (this.#excessMs < this.#path.foreignMs) this.#standing = 0;
    else if (this.#standing === 0) this.#standingFromMs = nowMs;
    if (this.#excessMs < this.#path.foreignMs) return;
    const isLong = nowMs - this.#standingFromMs >= standingMs;
    this.#standing = Math.min(this.#standing + 1, isLong ? standingCycles : standingCycles - 1);
  }

  #wantsDrain(nowMs: number): boolean {
    return nowMs - this.#probedMs > (this.#path.isDoubtful ? doubtfulProbeMs : probeMs);
  }

  /** Our own share of the queue has to go. */
  #drain(nowMs: number): void {
    const { minRttMs, ownMs } = this.#path;
    this.#draining = true;
    this.#probedMs = nowMs;
    this.#beforeDrain = this.#bytes;
    const rtt = this.#path.isDoubtful ? minRttMs / 8 : Math.max(minRttMs - ownMs, minRttMs / 2);
    this.#set(Math.min(this.#bytes, this.#rate * rtt), nowMs);
  }

  #endDrain(nowMs: number): void {
    this.#draining = false;
    this.#probedMs = nowMs;
    // Behind losses no round trip is the path's own.
    const spread = this.#cycleRttSum / this.#cycleSamples - this.#cycleRtt;
    if (spread < this.#path.foreignMs) this.#path.found(this.#cycleRtt);
    this.#set(this.#beforeDrain, nowMs);
  }

  #set(bytes: number, nowMs: number): void {
    const before = this.bytesAt(nowMs);
    this.#bytes = Math.round(Math.min(this.#mostBytes, Math.max(floorBytes, bytes)));
    this.#openedFrom = before;
    this.#openedMs = this.#bytes > before ? nowMs : -Infinity;
  }
}
