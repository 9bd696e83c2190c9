import { connect, type Socket } from 'node:net';

/** An answer; the body was counted and thrown away. */
export interface CountedAnswer {
  readonly status: number;
  readonly head: string;
  readonly bytes: number;
}

/**
 * A keep-alive connection that counts bodies instead of keeping them, so that what is measured is
 * the server. It understands answers with Content-Length and nothing else.
 */
export class ByteConnection implements Disposable {
  readonly #socket: Socket;
  #head: Buffer = Buffer.alloc(0);
  #text = '';
  #left = -1;
  #bytes = 0;
  #settle: ((answer: CountedAnswer) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail?.(error));
    socket.on('close', () => this.#fail?.(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<ByteConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new ByteConnection(socket)));
    });
  }

  send(head: string, body: readonly Uint8Array[] = []): Promise<CountedAnswer> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      for (const part of body) this.#socket.write(part);
      this.#socket.uncork();
    });
  }

  [Symbol.dispose](): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#left === -1) {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.#text = this.#head.toString('latin1', 0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#text)?.[1] ?? 0);
      this.#bytes = length;
      this.#left = length - (this.#head.length - end - 4);
    } else this.#left -= chunk.length;
    if (this.#left > 0) return;
    this.#left = -1;
    this.#head = Buffer.alloc(0);
    this.#settle?.({
      status: Number(this.#text.slice(9, 12)),
      head: this.#text,
      bytes: this.#bytes,
    });
  }
}
