import type { StreamClass } from './open-body.ts';
import { TokenBucket } from './token-bucket.ts';

/** What a scheduler knows of a stream; the last three are the scheduler's own. */
export interface Schedulable {
  readonly class: StreamClass;
  /** By when the oldest waiting byte of an interactive stream should go. */
  readonly deadlineAtMs: number;
  scheduled: boolean;
  deficit: number;
}

const quantumBytes = 16_384;

/**
 * Whose frame goes next. Control before interactive before bulk; control streams in turn, interactive
 * ones by deadline, bulk by deficit round robin. What control and interactive send beyond their rate
 * takes turns with bulk, so that neither can starve it.
 */
export class Scheduler<S extends Schedulable> {
  readonly #control: S[] = [];
  readonly #interactive: S[] = [];
  readonly #bulk: S[] = [];
  readonly #controlRate: TokenBucket;
  readonly #interactiveRate: TokenBucket;
  #bulkWasLast = false;

  constructor(init: {
    readonly controlBytesPerSecond: number;
    readonly interactiveBytesPerSecond: number;
  }) {
    const { controlBytesPerSecond: control, interactiveBytesPerSecond: interactive } = init;
    this.#controlRate = new TokenBucket({ perSecond: control, burst: control / 16 });
    this.#interactiveRate = new TokenBucket({ perSecond: interactive, burst: interactive / 16 });
  }

  get hasBulk(): boolean {
    return this.#bulk.length > 0;
  }

  get isEmpty(): boolean {
    return this.#control.length + this.#interactive.length + this.#bulk.length === 0;
  }

  /** The stream has something to send. */
  add(stream: S): void {
    if (stream.scheduled) return;
    stream.scheduled = true;
    stream.deficit = 0;
    this.#listOf(stream).push(stream);
  }

  remove(stream: S): void {
    if (!stream.scheduled) return;
    stream.scheduled = false;
    const list = this.#listOf(stream);
    const index = list.indexOf(stream);
    if (index === 0) list.shift();
    else if (index > 0) list.splice(index, 1);
  }

  /** The stream whose frame goes before bulk, if one may. */
  urgent(nowMs: number): S | undefined {
    if (this.#control.length > 0 && this.#controlRate.isOpen(nowMs)) return this.#control[0];
    if (this.#interactive.length > 0 && this.#interactiveRate.isOpen(nowMs)) {
      return this.#earliest();
    }
    return undefined;
  }

  /** Where nothing is urgent: the stream whose turn it is. */
  ordinary(): S | undefined {
    const excess = this.#control[0] ?? this.#earliest();
    if (excess !== undefined && (this.#bulkWasLast || this.#bulk.length === 0)) return excess;
    for (;;) {
      const stream = this.#bulk[0];
      if (stream === undefined) return undefined;
      if (stream.deficit > 0) return stream;
      stream.deficit += quantumBytes;
      if (this.#bulk.length > 1) this.#rotate(this.#bulk);
    }
  }

  /** A frame of the stream went. */
  sent(stream: S, bytes: number): void {
    this.#bulkWasLast = stream.class === 'bulk';
    if (stream.class === 'bulk') stream.deficit -= bytes;
    else if (stream.class === 'interactive') this.#interactiveRate.spend(bytes);
    else {
      this.#controlRate.spend(bytes);
      if (this.#control.length > 1 && this.#control[0] === stream) this.#rotate(this.#control);
    }
  }

  #earliest(): S | undefined {
    let first: S | undefined;
    for (const stream of this.#interactive) {
      if (first === undefined || stream.deadlineAtMs < first.deadlineAtMs) first = stream;
    }
    return first;
  }

  #rotate(list: S[]): void {
    const head = list.shift();
    if (head !== undefined) list.push(head);
  }

  #listOf(stream: S): S[] {
    if (stream.class === 'control') return this.#control;
    return stream.class === 'interactive' ? this.#interactive : this.#bulk;
  }
}
