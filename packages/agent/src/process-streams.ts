import { AsyncQueue, TaplineError } from '@tapline/base';
import { chunkBytes, decodeFrame, encodeFrame, type StreamSocket } from '@tapline/gateway';
import type { ProcessIo } from '@tapline/runtimes';

// A runtime's output callbacks cannot hold the process back, so there is an end to what is kept for
// a reader that does not read.
const maxBufferedBytes = 64 * 1024 * 1024;

/** A process's input and output as frames of a stream. */
export class ProcessStreams implements AsyncDisposable {
  readonly io: ProcessIo;
  readonly #stream: StreamSocket;
  readonly #killed = new AbortController();
  readonly #output = new AsyncQueue<Uint8Array>();
  readonly #sending: Promise<void>;
  #bufferedBytes = 0;

  constructor(
    stream: StreamSocket,
    options: { readonly stdin: boolean; readonly signal: AbortSignal },
  ) {
    this.#stream = stream;
    this.#sending = this.#send();
    // A failed send ends the process below; whoever waits for the rest hears of it there.
    this.#sending.catch((error: unknown) => this.#killed.abort(error));
    this.io = {
      stdin: options.stdin ? this.#stdin() : new Uint8Array(),
      onStdout: (chunk) => this.#take('stdout', chunk),
      onStderr: (chunk) => this.#take('stderr', chunk),
      signal: AbortSignal.any([options.signal, this.#killed.signal]),
    };
  }

  /** Resolves when everything that the process wrote was sent. */
  async drained(): Promise<void> {
    this.#output.close();
    await this.#sending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#output.close();
    await this.#sending.catch(() => undefined);
  }

  #take(kind: 'stdout' | 'stderr', chunk: Uint8Array): void {
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes > maxBufferedBytes) {
      this.#killed.abort(
        new TaplineError(
          'reader_too_slow',
          `${this.#bufferedBytes} bytes wait to be read, more than ${maxBufferedBytes}`,
        ),
      );
      return;
    }
    for (let offset = 0; offset < chunk.length; offset += chunkBytes) {
      this.#output.push(encodeFrame({ kind, bytes: chunk.subarray(offset, offset + chunkBytes) }));
    }
  }

  async #send(): Promise<void> {
    for await (const frame of this.#output) {
      await this.#stream.send(frame);
      this.#bufferedBytes -= frame.length - 1;
    }
  }

  async *#stdin(): AsyncGenerator<Uint8Array, void> {
    for await (const message of this.#stream.messages) {
      const frame = decodeFrame(message);
      if (frame.kind === 'close' && frame.channel === 0) return;
      if (frame.kind === 'stdin' && frame.bytes.length > 0) yield frame.bytes;
    }
  }
}
