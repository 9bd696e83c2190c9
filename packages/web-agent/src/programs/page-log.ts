import { concatBytes } from '@tapline/base';

const newline = 0x0a;

/** The end of what a program has printed, in memory: with the page it is gone, as the program is. */
export class PageLog {
  readonly #maxBytes: number;
  readonly #parts: Uint8Array[] = [];
  readonly #waiting = new Set<() => void>();
  #keptBytes = 0;
  #totalBytes = 0;
  #isOver = false;

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  append(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#keptBytes += bytes.length;
    this.#totalBytes += bytes.length;
    while (this.#keptBytes - (this.#parts[0]?.length ?? 0) >= this.#maxBytes) {
      this.#keptBytes -= this.#parts.shift()?.length ?? 0;
    }
    this.#wake();
  }

  /** Nothing more comes: who follows it reads to its end. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** What is there, and with `follow` what comes. */
  async *read(options: {
    readonly follow: boolean;
    readonly tailLines?: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<Uint8Array, void> {
    const { follow, tailLines, signal } = options;
    const kept = concatBytes(this.#parts);
    let position = this.#totalBytes - kept.length;
    if (tailLines !== undefined) position += tailOffset(kept, tailLines);
    while (!signal.aborted) {
      const rest = this.#after(position);
      if (rest.length > 0) {
        position = this.#totalBytes;
        yield rest;
      } else if (!follow || this.#isOver) return;
      else await this.#change(signal);
    }
  }

  #after(position: number): Uint8Array {
    const kept = concatBytes(this.#parts);
    const from = this.#totalBytes - kept.length;
    return kept.subarray(Math.max(0, position - from));
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#waiting.delete(resolve);
  }
}

/** Where the last lines begin. */
function tailOffset(bytes: Uint8Array, lines: number): number {
  if (lines === 0) return bytes.length;
  let left = lines;
  for (let at = bytes.length - 2; at >= 0; at -= 1) {
    if (bytes[at] !== newline) continue;
    left -= 1;
    if (left === 0) return at + 1;
  }
  return 0;
}
