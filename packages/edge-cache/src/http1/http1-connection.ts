import type { Socket } from 'node:net';
import { AsyncQueue, isTaplineError, type Log } from '@tapline/base';
import type {
  BodyWriter,
  EdgeRequest,
  Handle,
  PreparedAnswer,
  Responder,
} from '../engine/exchange.ts';
import type { HeaderFields } from '../rfc/header-fields.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { formatHead } from './format-head.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';

export interface Http1Limits {
  /** Bytes of a head, request line and all fields. */
  readonly maxHeadBytes: number;
  /** From the first byte of a head to its last. */
  readonly headMs: number;
  /** Between requests, while nothing is asked. */
  readonly idleMs: number;
  /** While bytes are ready for a client that takes none. */
  readonly stalledMs: number;
  /** While a client owes us bytes of a body. */
  readonly bodyMs: number;
}

interface Http1Init {
  readonly socket: Socket;
  readonly handle: Handle;
  readonly limits: Http1Limits;
  readonly secure: boolean;
  readonly log: Log;
}

const empty: Buffer = Buffer.alloc(0);
const headEnd = '\r\n\r\n';

/**
 * One HTTP/1.1 connection on a socket, one request at a time, in order. Answers that are ready go out
 * within the call that read the request: no promise, no stream of its own.
 */
export class Http1Connection {
  readonly #init: Http1Init;
  readonly #socket: Socket;
  #pending: Buffer = empty;
  #answering: Answering | undefined;
  #body: IncomingBody | undefined;
  /** What is waited for since `#since`, for the sweep. */
  #waitsFor: 'head' | 'idle' | 'body' | 'handler' = 'idle';
  #since = 0;
  #now: number;
  #written = 0;
  #parsing = false;

  constructor(init: Http1Init, nowMs: number) {
    this.#init = init;
    this.#socket = init.socket;
    this.#now = nowMs;
    this.#since = nowMs;
    const { socket } = init;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#answering?.drained());
    socket.on('end', () => this.#ended());
    // What went wrong with a client's connection is the client's matter; it only ends.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
  }

  /** Closes what waits for too long. Called every second or so. */
  sweep(nowMs: number): void {
    this.#now = nowMs;
    const { limits } = this.#init;
    const { writableLength, bytesWritten } = this.#socket;
    if (writableLength > 0) {
      const moved = bytesWritten - writableLength;
      if (moved !== this.#written) {
        this.#written = moved;
        this.#since = nowMs;
      } else if (nowMs - this.#since > limits.stalledMs) this.#socket.destroy();
      return;
    }
    const waited = nowMs - this.#since;
    if (this.#waitsFor === 'head' && waited > limits.headMs)
      this.#refuse(408, 'the head took too long');
    else if (this.#waitsFor === 'idle' && waited > limits.idleMs) this.#socket.end();
    else if (this.#waitsFor === 'body' && waited > limits.bodyMs) this.#socket.destroy();
  }

  /** Ends after the answer under way; at once where there is none. */
  close(): void {
    if (this.#answering === undefined) this.#socket.end();
    else this.#answering.last = true;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#body !== undefined && this.#pending.length === 0) {
      this.#since = this.#now;
      const rest = this.#body.take(chunk);
      if (rest === undefined) return;
      chunk = rest;
    }
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    if (this.#answering === undefined) this.#next();
    // Requests sent ahead are kept within bounds by not reading on.
    else if (this.#pending.length > this.#init.limits.maxHeadBytes) this.#socket.pause();
  }

  /** Takes up requests while they are there and the one before is answered. */
  #next(): void {
    if (this.#parsing) return;
    this.#parsing = true;
    while (this.#answering === undefined && this.#pending.length > 0 && !this.#socket.destroyed) {
      const pending = this.#pending;
      const end = pending.indexOf(headEnd);
      const { maxHeadBytes } = this.#init.limits;
      if (end === -1 ? pending.length > maxHeadBytes : end > maxHeadBytes) {
        this.#refuse(431, `a head of over ${maxHeadBytes} bytes`);
        break;
      }
      if (end === -1) {
        if (this.#waitsFor !== 'head') this.#wait('head');
        break;
      }
      const head = parseRequestHead(pending.toString('latin1', 0, end));
      const at = end + headEnd.length;
      this.#pending = at === pending.length ? empty : pending.subarray(at);
      if (head.kind === 'refused') {
        this.#refuse(head.status, head.reason);
        break;
      }
      this.#start(head);
    }
    this.#parsing = false;
  }

  #start(head: RequestHead): void {
    this.#wait('handler');
    const answering = new Answering(this.#socket, head, () => this.#answered(head));
    this.#answering = answering;
    const body = head.body.kind === 'none' ? undefined : new IncomingBody(head, this.#socket);
    this.#body = body;
    if (body !== undefined) {
      this.#wait('body');
      const rest = body.take(this.#pending);
      this.#pending = rest ?? empty;
    }
    const request: EdgeRequest = {
      method: head.method,
      authority: head.authority,
      target: head.target,
      fields: head.fields,
      body,
      bodyLength: head.body.kind === 'length' ? head.body.bytes : undefined,
      secure: this.#init.secure,
    };
    this.#init.handle(request, answering);
  }

  #answered(head: RequestHead): void {
    const answering = this.#answering;
    const body = this.#body;
    this.#answering = undefined;
    this.#body = undefined;
    // A body that was not read to its end would be taken for the next request.
    if (!head.keepAlive || answering?.last === true || (body !== undefined && !body.done)) {
      this.#socket.end();
      this.#pending = empty;
      if (body !== undefined && !body.done) this.#socket.resume();
      return;
    }
    this.#wait('idle');
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#pending.length > 0) this.#next();
  }

  #refuse(status: number, reason: string): void {
    this.#pending = empty;
    const body = `${reason}\n`;
    this.#socket.removeAllListeners('data');
    this.#socket.end(
      `${formatHead(status, [
        ['content-type', 'text/plain'],
        ['content-length', String(body.length)],
        ['connection', 'close'],
      ])}\r\n${body}`,
    );
    // Reads and drops what is still on its way, so that the answer is not lost in a reset.
    this.#socket.resume();
  }

  #ended(): void {
    if (this.#answering === undefined) this.#socket.end();
    else this.#answering.last = true;
    this.#body?.fail();
  }

  #closed(): void {
    this.#body?.fail();
    this.#answering?.closed();
  }

  #wait(what: 'head' | 'idle' | 'body' | 'handler'): void {
    this.#waitsFor = what;
    this.#since = this.#now;
  }
}

/** One answer on its way. */
class Answering implements Responder {
  last = false;
  readonly #socket: Socket;
  readonly #head: RequestHead;
  readonly #done: () => void;
  #over = false;
  #chunked = false;
  #listeners: (() => void)[] = [];
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
    else this.#listeners.push(listener);
  }

  get prepared(): ((answer: PreparedAnswer) => void) | undefined {
    if (!this.#head.keepAlive || this.last) return undefined;
    return this.#sendPrepared;
  }

  readonly #sendPrepared = ({ head, body }: PreparedAnswer): void => {
    if (body === undefined) this.#socket.write(head);
    else {
      this.#socket.cork();
      this.#socket.write(head);
      this.#socket.write(body);
      this.#socket.uncork();
    }
    this.#finish();
  };

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
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#socket.destroyed || chunk.length === 0) return undefined;
    let more: boolean;
    if (this.#chunked) {
      this.#socket.cork();
      this.#socket.write(`${chunk.length.toString(16)}\r\n`);
      this.#socket.write(chunk);
      more = this.#socket.write('\r\n');
      this.#socket.uncork();
    } else more = this.#socket.write(chunk);
    if (more) return undefined;
    return new Promise((resolve) => (this.#waiting = resolve));
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

/** The body of a request as it comes in. */
class IncomingBody implements AsyncIterable<Uint8Array> {
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

const maxQueuedBytes = 1024 * 1024;

function hasLength(fields: HeaderFields): boolean {
  return fields.some(([name]) => name === 'content-length');
}
