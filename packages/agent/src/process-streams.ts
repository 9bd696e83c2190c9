import { AsyncQueue, TaplineError } from '@tapline/base';
import { chunkBytes } from '@tapline/gateway';
import type { ProcessIo } from '@tapline/runtimes';

// A runtime's output callbacks cannot hold the process back, so there is an end to what is kept for
// a reader that does not read.
const maxBufferedBytes = 64 * 1024 * 1024;

/** What a process wrote. */
export interface ProcessOutput {
  readonly kind: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** A process's input and output, for a call. Disposing it ends the process. */
export class ProcessStreams implements Disposable {
  readonly io: ProcessIo;
  readonly #killed = new AbortController();
  readonly #output = new AsyncQueue<ProcessOutput>();
  #bufferedBytes = 0;

  constructor(options: {
    /** What it reads; nothing where absent. */
    readonly stdin: AsyncIterable<Uint8Array> | undefined;
    readonly signal: AbortSignal;
  }) {
    this.io = {
      stdin: options.stdin ?? new Uint8Array(),
      onStdout: (chunk) => this.#take('stdout', chunk),
      onStderr: (chunk) => this.#take('stderr', chunk),
      signal: AbortSignal.any([options.signal, this.#killed.signal]),
    };
  }

  /** It has ended; what it wrote is still read. */
  end(): void {
    this.#output.close();
  }

  /** What it writes, until it has ended. */
  async *output(): AsyncGenerator<ProcessOutput, void> {
    for await (const piece of this.#output) {
      yield piece;
      this.#bufferedBytes -= piece.bytes.length;
    }
  }

  [Symbol.dispose](): void {
    this.#killed.abort(new TaplineError('stream_closed', 'the call is over'));
    this.end();
  }

  #take(kind: ProcessOutput['kind'], chunk: Uint8Array): void {
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
      this.#output.push({ kind, bytes: chunk.subarray(offset, offset + chunkBytes) });
    }
  }
}
