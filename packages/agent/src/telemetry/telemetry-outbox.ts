/** What waits to be sent, oldest first, in so many bytes at most: the oldest go when it is full. */
export class TelemetryOutbox {
  readonly #maxBytes: number;
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(body: Uint8Array): void {
    this.#waiting.push(body);
    this.#bytes += body.length;
    while (this.#bytes > this.#maxBytes) this.done();
  }

  get first(): Uint8Array | undefined {
    return this.#waiting[0];
  }

  /** The first one is sent, or nobody will ever take it. */
  done(): void {
    this.#bytes -= this.#waiting.shift()?.length ?? 0;
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
  }
}
