/**
 * Whether a full disk takes in what was never asked for before. Most of that is not asked for again, and
 * to write it wears the disk out; but where requests come in bursts, leaving it out costs a miss for each
 * object. So it is counted how many come again so soon that they would still have been here: a few, and
 * only names are noted; more, and all is taken in. What is counted is the same either way.
 */
export class Admission {
  #takesAll = false;
  #asked = 0;
  #early = 0;

  get takesAll(): boolean {
    return this.#takesAll;
  }

  /** A key that is not here is to come in. */
  asked(): void {
    this.#asked += 1;
    if (this.#asked < window) return;
    const share = this.#early / this.#asked;
    this.#takesAll = share > (this.#takesAll ? leastShare : mostShare);
    this.#asked = 0;
    this.#early = 0;
  }

  /** One came again while it was, or would have been, in the queue of what is new. */
  cameEarly(): void {
    this.#early += 1;
  }
}

/** Long enough for a share of one in a hundred to be seen. */
const window = 500;
/** Misses that names alone may cost, and below which they do again. */
const mostShare = 0.05;
const leastShare = 0.02;
