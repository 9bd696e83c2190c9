import { connect, type Socket } from 'node:net';

/**
 * An HTTP/1.1 connection with next to no cost of its own, so that what is measured is the server.
 * It understands answers with Content-Length and chunked ones, and nothing else.
 */
export class RawConnection implements Disposable {
  readonly #socket: Socket;
  #text = '';
  #settle: ((answer: RawAnswer) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#fail?.(error));
    socket.on('close', () => this.#fail?.(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawConnection(socket)));
    });
  }

  send(request: string): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      this.#socket.write(request, 'latin1');
    });
  }

  /** Sends a request whose answer never ends; `onText` gets its bytes as they come. */
  stream(request: string, onText: (text: string) => void): void {
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', onText);
    this.#socket.write(request, 'latin1');
  }

  [Symbol.dispose](): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#text += text;
    const head = this.#text.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#text.slice(0, head))?.[1];
    if (length !== undefined) {
      if (this.#text.length < head + 4 + Number(length)) return;
    } else if (!this.#text.endsWith('0\r\n\r\n')) return;
    const answer = { status: Number(this.#text.slice(9, 12)), body: this.#text.slice(head + 4) };
    this.#text = '';
    this.#settle?.(answer);
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** The text of a request with a JSON body. */
export function rawRequest(
  method: string,
  path: string,
  options: { readonly headers?: string; readonly type?: string; readonly body?: string } = {},
): string {
  const { headers = '', type = 'application/json', body = '' } = options;
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
