import type { IncomingMessage } from 'node:http';

/** Takes a body as it comes in. */
export interface BodySink {
  /** What it throws ends the body, and is told to `fail`. */
  append(chunk: Uint8Array): void;
  complete(): void;
  fail(error: unknown): void;
}

const maxQueuedBytes = 256 * 1024;

/**
 * The body of an origin's answer. It is read from the moment of the head on, so that what came with the
 * head is there at once: a playlist is whole before the first of those who wait for it is told.
 */
export class OriginBody implements AsyncIterable<Uint8Array> {
  readonly #response: IncomingMessage;
  readonly #asProblem: (error: unknown) => unknown;
  #early: Uint8Array[] = [];
  #sink: BodySink | undefined;
  #ended = false;
  #failed: { readonly error: unknown } | undefined;

  /** `asProblem` makes what a user sees of what the socket threw; of undefined: it ended too early. */
  constructor(response: IncomingMessage, asProblem: (error: unknown) => unknown) {
    this.#response = response;
    this.#asProblem = asProblem;
    response.on('data', (chunk: Uint8Array) => this.#take(chunk));
    response.on('end', () => {
      if (response.complete) this.#end();
      else this.#fail(undefined);
    });
    response.on('error', (error) => this.#fail(error));
    response.on('close', () => this.#fail(undefined));
  }

  /** Gives up what has not come; a connection whose answer is whole stays. */
  destroy(): void {
    if (!this.#ended) this.#response.destroy();
  }

  /** Hands over what there is now and what comes, at the origin's pace. */
  pour(sink: BodySink): void {
    this.#sink = sink;
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) this.#take(chunk);
    if (this.#failed !== undefined) sink.fail(this.#failed.error);
    else if (this.#ended) sink.complete();
  }

  /** The body at the reader's pace; leaving the loop gives the rest up. */
  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const queue: Uint8Array[] = [];
    let queued = 0;
    let over: { readonly error: unknown } | 'complete' | undefined;
    let wake: (() => void) | undefined;
    this.pour({
      append: (chunk) => {
        queue.push(chunk);
        queued += chunk.length;
        if (queued > maxQueuedBytes) this.#response.pause();
        wake?.();
      },
      complete: () => {
        over = 'complete';
        wake?.();
      },
      fail: (error) => {
        over = { error };
        wake?.();
      },
    });
    try {
      for (;;) {
        const chunk = queue.shift();
        if (chunk !== undefined) {
          queued -= chunk.length;
          if (queued <= maxQueuedBytes && this.#response.isPaused()) this.#response.resume();
          yield chunk;
        } else if (over === 'complete') return;
        else if (over !== undefined) throw over.error;
        else {
          await new Promise<void>((resolve) => (wake = resolve));
          wake = undefined;
        }
      }
    } finally {
      this.destroy();
    }
  }

  #take(chunk: Uint8Array): void {
    if (this.#failed !== undefined) return;
    if (this.#sink === undefined) {
      this.#early.push(chunk);
      return;
    }
    try {
      this.#sink.append(chunk);
    } catch (error) {
      this.#failed = { error };
      this.#response.destroy();
      this.#sink.fail(error);
    }
  }

  #end(): void {
    if (this.#failed !== undefined) return;
    this.#ended = true;
    this.#sink?.complete();
  }

  #fail(error: unknown): void {
    if (this.#ended || this.#failed !== undefined) return;
    this.#failed = { error: this.#asProblem(error) };
    this.#sink?.fail(this.#failed.error);
  }
}
