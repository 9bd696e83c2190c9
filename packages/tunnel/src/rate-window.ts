import type { PathDelay } from './path-delay.ts';

const leastRoundMs = 25;
/** Rates whose best is believed, each over some rounds: what waited behind a lost byte comes at once. */
const rememberedRates = 10;
const roundsOfRate = 4;
/** So many rounds without so much more mean that the path is full. */
const fullRounds = 3;
const growth = 1.15;
/** More than TCP has under way, which is up to twice what the path holds; and more yet while that grows. */
const holdRoundTrips = 3;
const growRoundTrips = 4;
/** And something for its slow start on a short path, and for machines that are busy. */
const leastSlackMs = 2;
const mostSlackMs = 10;
const leastBytes = 65_536;

interface Round {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * How many bytes bulk may have under way where delay is not our queue's: what has arrived at best, for as
 * long as bytes take with what delays them. TCP then always has some to send, and finds what the path
 * takes as it does without us; it has not as much as it would like to queue.
 */
export class RateWindow {
  readonly #path: PathDelay;
  readonly #excessMs: number;
  readonly #rounds: Round[] = [];
  #rates: number[] = [];
  #roundMs: number;
  #roundBytes = 0;
  #full = 0;
  #bestBefore = 0;

  /** `excessMs` is how much longer than the path's own a round trip has taken on average. */
  constructor(path: PathDelay, at: { readonly excessMs: number; readonly nowMs: number }) {
    this.#path = path;
    this.#excessMs = at.excessMs;
    this.#roundMs = at.nowMs;
  }

  /** What has arrived at best, in bytes a millisecond; 0 before it is known. */
  get bytesPerMs(): number {
    return Math.max(0, ...this.#rates);
  }

  get bytes(): number {
    const trips = this.#full === 0 ? growRoundTrips : holdRoundTrips;
    const { minRttMs } = this.#path;
    const slackMs = Math.min(mostSlackMs, leastSlackMs + minRttMs / 2);
    const holdMs = trips * minRttMs + 2 * this.#excessMs + slackMs;
    return Math.max(leastBytes, this.bytesPerMs * holdMs);
  }

  /** It has become no faster for some rounds. */
  get isFull(): boolean {
    return this.#full >= fullRounds;
  }

  acknowledged(bytes: number, sentMs: number, nowMs: number): void {
    this.#roundBytes += bytes;
    // A round is over when what was sent after it began has arrived.
    const ms = nowMs - this.#roundMs;
    if (sentMs < this.#roundMs || ms < leastRoundMs) return;
    this.#rounds.push({ bytes: this.#roundBytes, ms });
    if (this.#rounds.length > roundsOfRate) this.#rounds.shift();
    this.#rates = [...this.#rates, this.#rate()].slice(-rememberedRates);
    const rate = this.bytesPerMs;
    const isFull = rate < this.#bestBefore * growth;
    this.#full = isFull ? this.#full + 1 : 0;
    if (!isFull) this.#bestBefore = rate;
    this.#roundMs = nowMs;
    this.#roundBytes = 0;
  }

  /** Of the last rounds; of the last one alone while it is what is growing. */
  #rate(): number {
    const rounds = this.#full === 0 ? this.#rounds.slice(-1) : this.#rounds;
    const bytes = rounds.reduce((sum, round) => sum + round.bytes, 0);
    return bytes / rounds.reduce((sum, round) => sum + round.ms, 0);
  }
}
