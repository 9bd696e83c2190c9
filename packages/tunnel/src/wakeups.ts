import type { Clock } from '@tapline/base';

/** Who is to be woken, and when. `place` is where it is among the others, -1 where it is not. */
export interface Sleeper {
  readonly atMs: number;
  place: number;
  wake(): void;
}

/**
 * Wakes many with one sleep of the clock, so that an idle tunnel costs a place in a list and no timer. A
 * binary heap by time; each sleeper knows its place, to be taken out from anywhere.
 */
export class Wakeups {
  readonly #clock: Clock;
  readonly #heap: Sleeper[] = [];
  #sleeping: AbortController | undefined;
  #untilMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(sleeper: Sleeper): void {
    sleeper.place = this.#heap.length;
    this.#heap.push(sleeper);
    this.#up(sleeper);
    this.#sleep();
  }

  remove(sleeper: Sleeper): void {
    const { place } = sleeper;
    if (place < 0) return;
    sleeper.place = -1;
    const last = this.#heap.pop();
    if (last !== undefined && last !== sleeper) {
      this.#put(last, place);
      this.#up(last);
      this.#down(last);
    }
    // Else a sleep that is too short wakes nobody, and costs less than to begin another.
    if (this.#heap.length === 0) this.#stop();
  }

  #sleep(): void {
    const [first] = this.#heap;
    if (first === undefined || first.atMs >= this.#untilMs) return;
    this.#stop();
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    this.#untilMs = first.atMs;
    void this.#sleepUntil(first.atMs, sleeping);
  }

  #stop(): void {
    this.#sleeping?.abort('rearmed');
    this.#sleeping = undefined;
    this.#untilMs = Infinity;
  }

  async #sleepUntil(atMs: number, sleeping: AbortController): Promise<void> {
    try {
      await this.#clock.sleep(atMs - this.#clock.monotonic(), { signal: sleeping.signal });
    } catch {
      // Stopped: whoever did that knows.
      return;
    }
    if (this.#sleeping !== sleeping) return;
    this.#sleeping = undefined;
    this.#untilMs = Infinity;
    try {
      // A timer may be a little early: who was slept for is woken all the same.
      this.#wake(Math.max(this.#clock.monotonic(), atMs));
    } finally {
      this.#sleep();
    }
  }

  #wake(nowMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs;) {
      this.remove(first);
      first.wake();
      [first] = this.#heap;
    }
  }

  #put(sleeper: Sleeper, place: number): void {
    this.#heap[place] = sleeper;
    sleeper.place = place;
  }

  #up(sleeper: Sleeper): void {
    let { place } = sleeper;
    while (place > 0) {
      const above = this.#heap[(place - 1) >> 1];
      if (above === undefined || above.atMs <= sleeper.atMs) break;
      const next = above.place;
      this.#put(above, place);
      place = next;
    }
    this.#put(sleeper, place);
  }

  #down(sleeper: Sleeper): void {
    let { place } = sleeper;
    for (;;) {
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      const below =
        right !== undefined && left !== undefined && right.atMs < left.atMs ? right : left;
      if (below === undefined || below.atMs >= sleeper.atMs) break;
      const next = below.place;
      this.#put(below, place);
      place = next;
    }
    this.#put(sleeper, place);
  }
}
