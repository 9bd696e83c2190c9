const noBytes = new Uint8Array();
/** Smaller pieces are copied together: a view would keep the whole buffer that it is of. */
const copiedBytes = 2048;
const joinedBytes = 8192;

/** What has arrived on a stream and was not read: one reader, who may wait. */
export class ReceiveQueue {
  #pieces: Uint8Array[] = [];
  #head = 0;
  /** The last piece, while there is room in it. */
  #joined: Uint8Array | undefined;
  #joinedUsed = 0;
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #ended = false;
  #error: unknown;

  /** True: somebody waited for it and has it. */
  push(piece: Uint8Array): boolean {
    if (this.#waiting !== undefined) {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting.resolve(piece);
      return true;
    }
    if (piece.length < copiedBytes) this.#join(piece);
    else {
      this.#seal();
      this.#pieces.push(piece);
    }
    return false;
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  /** What waits is dropped. */
  fail(error: unknown): void {
    this.#pieces = [];
    this.#head = 0;
    this.#joined = undefined;
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** The next piece at once, or undefined where there is none now. */
  shift(): Uint8Array | undefined {
    const piece = this.#pieces[this.#head];
    if (piece === undefined) return this.#takeJoined();
    this.#pieces[this.#head] = noBytes;
    this.#head += 1;
    if (this.#head === this.#pieces.length) {
      this.#pieces = [];
      this.#head = 0;
    }
    return piece;
  }

  /** Where `shift` had nothing: what comes next, undefined at the end. */
  wait(): Promise<Uint8Array | undefined> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(undefined);
    this.#waiting ??= Promise.withResolvers<Uint8Array | undefined>();
    return this.#waiting.promise;
  }

  #join(piece: Uint8Array): void {
    if (this.#joined !== undefined && this.#joinedUsed + piece.length > joinedBytes) this.#seal();
    this.#joined ??= new Uint8Array(joinedBytes);
    this.#joined.set(piece, this.#joinedUsed);
    this.#joinedUsed += piece.length;
  }

  #seal(): void {
    const piece = this.#takeJoined();
    if (piece !== undefined) this.#pieces.push(piece);
  }

  #takeJoined(): Uint8Array | undefined {
    const piece = this.#joined?.subarray(0, this.#joinedUsed);
    this.#joined = undefined;
    this.#joinedUsed = 0;
    return piece;
  }
}
