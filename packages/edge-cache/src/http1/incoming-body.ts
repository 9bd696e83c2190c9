import type { Socket } from 'node:net';
import { AsyncQueue, isTaplineError } from '@tapline/base';
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { RequestHead } from './request-head.ts';

const maxQueuedBytes = 1024 * 1024;

/** The body of a request as it comes in. */
export class IncomingBody implements AsyncIterable<Uint8Array> {
  done = false;
  readonly #queue: AsyncQueue<Uint8Array> = new AsyncQueue();
  readonly #decoder: ChunkedDecoder | undefined;
  readonly #socket: Socket;
  #left: number;
  #expectsContinue: boolean;
  #queued = 0;

  constructor(head: RequestHead, socket: Socket) {
    this.#decoder = head.body.kind === 'chunked' ? new ChunkedDecoder() : undefined;
    this.#left = head.body.kind === 'length' ? head.body.bytes : 0;
    this.#expectsContinue = head.expectsContinue;
    this.#socket = socket;
  }

  /** Undefined while all was of the body, otherwise what comes after it. */
  take(bytes: Buffer): Buffer | undefined {
    if (this.done) return bytes;
    if (bytes.length === 0) return undefined;
    if (this.#decoder === undefined) {
      const length = Math.min(bytes.length, this.#left);
      this.#push(bytes.subarray(0, length));
      this.#left -= length;
      if (this.#left > 0) return undefined;
      this.#end();
      return bytes.subarray(length);
    }
    try {
      const { body, done, rest } = this.#decoder.feed(bytes);
      for (const chunk of body) this.#push(chunk);
      if (!done) return undefined;
      this.#end();
      return Buffer.from(rest.buffer, rest.byteOffset, rest.length);
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      this.#socket.destroy();
      return undefined;
    }
  }

  fail(): void {
    if (!this.done) this.#queue.close(new Error('the client went away'));
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#expectsContinue && !this.#socket.destroyed) {
      this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    }
    for await (const chunk of this.#queue) {
      this.#queued -= chunk.length;
      if (this.#queued < maxQueuedBytes && this.#socket.isPaused()) this.#socket.resume();
      yield chunk;
    }
  }

  #push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#queued += chunk.length;
    if (this.#queued > maxQueuedBytes) this.#socket.pause();
    this.#queue.push(chunk);
  }

  #end(): void {
    this.done = true;
    this.#queue.close();
  }
}
