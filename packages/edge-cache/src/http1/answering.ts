import type { Socket } from 'node:net';
import type { BodyWriter, PreparedAnswer, Responder } from '../engine/exchange.ts';
import type { HeaderFields } from '../rfc/header-fields.ts';
import { formatHead } from './format-head.ts';
import type { RequestHead } from './request-head.ts';

/** One answer on its way. */
export class Answering implements Responder {
  last = false;
  readonly #socket: Socket;
  readonly #head: RequestHead;
  readonly #done: () => void;
  #over = false;
  #chunked = false;
  #listeners: (() => void)[] | undefined;
  #waiting: (() => void) | undefined;

  constructor(socket: Socket, head: RequestHead, done: () => void) {
    this.#socket = socket;
    this.#head = head;
    this.#done = done;
  }

  get gone(): boolean {
    return this.#socket.destroyed;
  }

  onGone(listener: () => void): void {
    if (this.gone) listener();
    else (this.#listeners ??= []).push(listener);
  }

  get takesPrepared(): boolean {
    return this.#head.keepAlive && !this.last;
  }

  respondPrepared({ head, body }: PreparedAnswer): void {
    if (body === undefined) this.#socket.write(head);
    else {
      this.#socket.cork();
      this.#socket.write(head);
      this.#socket.write(body);
      this.#socket.uncork();
    }
    this.#finish();
  }

  respond(status: number, fields: HeaderFields, body?: Uint8Array): void {
    const noLength = status === 204 || status === 304 || hasLength(fields);
    const length = noLength ? '' : `content-length: ${body?.length ?? 0}\r\n`;
    const text = `${formatHead(status, fields)}${length}${this.#connection()}\r\n`;
    this.#socket.cork();
    this.#socket.write(text, 'latin1');
    if (body !== undefined && body.length > 0) this.#socket.write(body);
    this.#socket.uncork();
    this.#finish();
  }

  start(status: number, fields: HeaderFields, length: number | undefined): BodyWriter {
    const unknown = length === undefined && status !== 204 && status !== 304;
    this.#chunked = unknown && this.#head.modern;
    // HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
    if (unknown && !this.#head.modern) this.last = true;
    const framing = this.#chunked
      ? 'transfer-encoding: chunked\r\n'
      : hasLength(fields) || length === undefined
        ? ''
        : `content-length: ${length}\r\n`;
    const text = `${formatHead(status, fields)}${framing}${this.#connection()}\r\n`;
    this.#socket.write(text, 'latin1');
    return {
      write: (chunk) => this.#write(chunk),
      lend: (chunk) => new Promise((resolve) => this.#send(chunk, resolve)),
      end: () => {
        if (this.#chunked) this.#socket.write('0\r\n\r\n');
        this.#finish();
      },
      cut: () => this.#socket.destroy(),
    };
  }

  drained(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  closed(): void {
    this.drained();
    if (this.#over) return;
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#socket.destroyed || this.#send(chunk)) return undefined;
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** Answers whether more may follow at once. */
  #send(chunk: Uint8Array, sent?: () => void): boolean {
    if (chunk.length === 0) {
      sent?.();
      return true;
    }
    // A callback is called also where the socket is destroyed.
    if (!this.#chunked) return this.#socket.write(chunk, sent);
    this.#socket.cork();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`);
    this.#socket.write(chunk, sent);
    const more = this.#socket.write('\r\n');
    this.#socket.uncork();
    return more;
  }

  #connection(): string {
    return this.#head.keepAlive && !this.last ? '' : 'connection: close\r\n';
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#done();
  }
}

function hasLength(fields: HeaderFields): boolean {
  return fields.some(([name]) => name === 'content-length');
}
