import type { ServerResponse } from 'node:http';
import { type FileHandle, open } from 'node:fs/promises';

/** A blob of this size is read at once; larger ones in pieces, of which two are under way. */
const pieceBytes = 512 * 1024;
/** Buffers that are kept; beyond, a response takes one of its own for as long as it runs. */
const keptBuffers = 16;

/** An open file, to be sent once. */
export interface OpenedFile extends AsyncDisposable {
  /** Writes bytes `start` to `end` after the head. Stops where the client goes away. */
  send(
    response: ServerResponse,
    range: { readonly start: number; readonly end: number },
  ): Promise<void>;
}

/** Sends parts of files through buffers that are used again: allocating them costs more than reading. */
export class FileSender {
  readonly #buffers: Buffer[] = [];

  async open(path: string): Promise<OpenedFile> {
    const file = await open(path, 'r');
    return {
      send: (response, range) => this.#send(file, response, range),
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  async #send(
    file: FileHandle,
    response: ServerResponse,
    { start, end }: { readonly start: number; readonly end: number },
  ): Promise<void> {
    // Of a connection that is gone no write is ever told to be done.
    const gone = new Promise<void>((resolve) => {
      response.once('close', resolve);
    });
    let flushed: Promise<void> | undefined;
    for (let at = start; at < end && !response.destroyed;) {
      const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
      const length = Math.min(pieceBytes, end - at);
      let bytesRead: number;
      try {
        ({ bytesRead } = await file.read(buffer, 0, length, at));
      } catch (error) {
        this.#keep(buffer);
        throw error;
      }
      if (bytesRead === 0) throw new Error(`file ends at ${at}, not at ${end}`);
      at += bytesRead;
      // While this piece is on its way the next is read, and not the one after it.
      await Promise.race([flushed, gone]);
      if (response.destroyed) return;
      flushed = this.#write(response, buffer, bytesRead);
    }
    await Promise.race([flushed, gone]);
    if (!response.destroyed) response.end();
  }

  /** Resolves when the kernel has the bytes, or nobody wants them any more. */
  #write(response: ServerResponse, buffer: Buffer, length: number): Promise<void> {
    return new Promise((resolve) => {
      response.write(buffer.subarray(0, length), () => {
        this.#keep(buffer);
        resolve();
      });
    });
  }

  #keep(buffer: Buffer): void {
    if (this.#buffers.length < keptBuffers) this.#buffers.push(buffer);
  }
}
