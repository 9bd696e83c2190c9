/** An end that only receives measures no round trips; a long one is supposed. */
const likelyRttMs = 100;

/**
 * What the peer may send on a stream. Bytes are granted again as they are read; a reader that keeps up
 * gets a larger window, as long as `grow` allows it, so that a long path is filled.
 */
export class ReceiveWindow {
  readonly #mostBytes: number;
  #bytes: number;
  /** What the peer may still send. */
  #open: number;
  #unread = 0;
  #grantedMs: number | undefined;

  constructor(init: { readonly bytes: number; readonly mostBytes: number }) {
    this.#bytes = this.#open = init.bytes;
    this.#mostBytes = init.mostBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Arrived and not read. */
  get unread(): number {
    return this.#unread;
  }

  /** Whether the peer was allowed to send these bytes. */
  arrived(bytes: number): boolean {
    this.#open -= bytes;
    this.#unread += bytes;
    return this.#open >= 0;
  }

  read(bytes: number): void {
    this.#unread -= bytes;
  }

  /** Whether what was read is worth a frame that grants it again. */
  get owes(): boolean {
    return this.#bytes - this.#open - this.#unread >= this.#bytes / 2;
  }

  /** Bytes to grant now, 0 while it is not worth a frame. `grow` takes what the window grows by. */
  grant(
    nowMs: number,
    { rttMs, grow }: { readonly rttMs: number; readonly grow: (bytes: number) => boolean },
  ): number {
    if (!this.owes) return 0;
    const owed = this.#bytes - this.#open - this.#unread;
    // Half a window within two round trips: the window is what limits the stream.
    const sinceMs = this.#grantedMs === undefined ? 0 : nowMs - this.#grantedMs;
    this.#grantedMs = nowMs;
    const more = Math.min(this.#bytes, this.#mostBytes - this.#bytes);
    const grows = more > 0 && sinceMs < 2 * Math.max(rttMs, likelyRttMs) && grow(more);
    if (grows) this.#bytes += more;
    const granted = owed + (grows ? more : 0);
    this.#open += granted;
    return granted;
  }
}
