import type { Clock } from '@tapline/base';

/**
 * Leaves an origin alone after failures in a row. Once the pause is over one request tries; its success
 * closes the breaker, its failure doubles the pause up to a bound.
 */
export class CircuitBreaker {
  readonly #failures: number;
  readonly #openMs: number;
  readonly #clock: Clock;
  #inARow = 0;
  #opened = 0;
  #until = 0;
  #trying = false;

  constructor(init: { readonly failures: number; readonly openMs: number; readonly clock: Clock }) {
    this.#failures = init.failures;
    this.#openMs = init.openMs;
    this.#clock = init.clock;
  }

  /** Whether a request may be sent now; who is told so reports how it went. */
  allows(): boolean {
    if (this.#inARow < this.#failures) return true;
    if (this.#trying || this.#clock.monotonic() < this.#until) return false;
    this.#trying = true;
    return true;
  }

  get isOpen(): boolean {
    return this.#inARow >= this.#failures;
  }

  succeeded(): void {
    this.#inARow = 0;
    this.#opened = 0;
    this.#trying = false;
  }

  failed(): void {
    this.#inARow += 1;
    this.#trying = false;
    if (this.#inARow < this.#failures) return;
    this.#until =
      this.#clock.monotonic() + this.#openMs * 2 ** Math.min(this.#opened, maxDoublings);
    this.#opened += 1;
  }

  /** The request was given up for a reason that tells nothing of the origin. */
  abandoned(): void {
    this.#trying = false;
  }
}

const maxDoublings = 4;
