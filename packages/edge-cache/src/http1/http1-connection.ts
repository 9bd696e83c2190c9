import type { Socket } from 'node:net';
import type { Log } from '@tapline/base';
import type { EdgeRequest, Handle } from '../engine/exchange.ts';
import { Answering } from './answering.ts';
import { FieldMemory } from './field-memory.ts';
import { formatHead } from './format-head.ts';
import { IncomingBody } from './incoming-body.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';
import { shareReads } from './share-reads.ts';

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
  /** Paused where `readBuffer` is given. */
  readonly socket: Socket;
  /** What all connections read into; each has a buffer for each read unless given. */
  readonly readBuffer?: Buffer;
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
  readonly #fields = new FieldMemory();
  #pending: Buffer = empty;
  #answering: Answering | undefined;
  #body: IncomingBody | undefined;
  /** What is waited for since `#since`, for the sweep. */
  #waitsFor: 'head' | 'idle' | 'body' | 'handler' = 'idle';
  #since = 0;
  #now: number;
  #written = 0;
  #parsing = false;
  #refused = false;
  /** What `#pending` is of while a read is looked at that the next read overwrites. */
  #borrowed: Buffer | undefined;

  constructor(init: Http1Init, nowMs: number) {
    this.#init = init;
    this.#now = nowMs;
    this.#since = nowMs;
    const { readBuffer } = init;
    const sharing =
      readBuffer === undefined
        ? undefined
        : shareReads(init.socket, {
            buffer: readBuffer,
            onBytes: (bytes) => this.#readShared(bytes),
          });
    const socket = sharing ?? init.socket;
    this.#socket = socket;
    if (sharing === undefined) {
      socket.on('data', (chunk: Buffer) => this.#read(chunk));
      if (readBuffer !== undefined) socket.resume();
    }
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

  /** Of a request that is whole and answered within the call nothing is kept, so nothing is copied. */
  #readShared(bytes: Buffer): void {
    const free = this.#answering === undefined && this.#body === undefined;
    if (!free || this.#pending.length > 0) {
      this.#read(Buffer.from(bytes));
      return;
    }
    this.#borrowed = bytes;
    this.#read(bytes);
    this.#borrowed = undefined;
    if (this.#pending.length > 0) this.#pending = Buffer.from(this.#pending);
  }

  #read(chunk: Buffer): void {
    if (this.#refused) return;
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
      const { maxHeadBytes } = this.#init.limits;
      const text = pending.toString('latin1', 0, maxHeadBytes + headEnd.length);
      const end = text.indexOf(headEnd);
      if (end === -1 && pending.length > maxHeadBytes) {
        this.#refuse(431, `a head of over ${maxHeadBytes} bytes`);
        break;
      }
      if (end === -1) {
        if (this.#waitsFor !== 'head') this.#wait('head');
        break;
      }
      const head = parseRequestHead(text.slice(0, end), this.#fields.parse);
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
      // It keeps what it takes.
      const rest = body.take(
        this.#borrowed === undefined ? this.#pending : Buffer.from(this.#pending),
      );
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
    this.#refused = true;
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
