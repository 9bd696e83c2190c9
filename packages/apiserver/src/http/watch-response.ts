import type { ServerResponse } from 'node:http';
import type { TaplineError } from '@tapline/base';
import { statusOf } from '../status.ts';
import type { ServedKind } from '../served-kind.ts';
import type { StoredObject } from '../stored-object.ts';
import type { EventType, HubEvent } from '../watch/hub-event.ts';
import type { WatchSink } from '../watch/watcher.ts';
import type { Form } from './negotiate.ts';
import { partialObject } from './partial-object.ts';
import { type IncludeObject, tableOf } from './table.ts';

export interface WatchResponseInit {
  readonly response: ServerResponse;
  readonly kind: ServedKind;
  readonly form: Form;
  readonly includeObject: IncludeObject;
  readonly now: () => number;
  /** A client that leaves this much unread is too slow; its watch ends, and it can go on later. */
  readonly maxBufferedBytes: number;
  /** Called where it ends because the client does not read. */
  readonly onSlow: () => void;
  /** Called once, when no more events can be sent. */
  readonly onEnd: () => void;
}

/**
 * A watch as a chunked response. Frames, the chunk's envelope included, are made once for all
 * watchers and go straight to the socket: node:http would frame each one again for each watcher.
 */
export class WatchResponse implements WatchSink {
  readonly #init: WatchResponseInit;
  #pending: Buffer[] = [];
  /** Bytes of the initial state, which may be more than the limit. */
  #allowance = 0;
  #started = false;
  #live = false;
  #ended = false;
  #columnsSent = false;

  constructor(init: WatchResponseInit) {
    this.#init = init;
  }

  /** Sends the headers; errors before this are plain answers. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    const { response } = this.#init;
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-cache, private',
      'Transfer-Encoding': 'chunked',
    });
    response.flushHeaders();
  }

  /** From now on a client has to keep up. */
  goLive(): void {
    this.#live = true;
    this.#allowance = this.#init.response.socket?.writableLength ?? 0;
  }

  event(type: EventType, event: HubEvent): void {
    if (this.#ended) return;
    const { form, kind, includeObject, now } = this.#init;
    const columns = form === 'table' && !this.#columnsSent;
    this.#columnsSent = true;
    const stored = type === 'DELETED' ? (event.before ?? event.now) : event.now;
    const key = `${type} ${form} ${includeObject} ${columns}`;
    this.#pending.push(
      event.frame(key, () =>
        frame(type, render(stored, { kind, form, includeObject, nowMs: now(), columns })),
      ),
    );
  }

  bookmark(revision: number, initialEventsEnd: boolean): void {
    const { kind, form } = this.#init;
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const object =
      form === 'table'
        ? { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: [], rows: [] }
        : form === 'partial'
          ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
          : { kind: kind.kind, apiVersion: kind.apiVersion, metadata };
    this.#pending.push(frame('BOOKMARK', JSON.stringify(object)));
  }

  flush(): void {
    const { socket } = this.#init.response;
    if (this.#pending.length === 0 || this.#ended || socket === null) return;
    const [only] = this.#pending;
    const bytes =
      this.#pending.length === 1 && only !== undefined ? only : Buffer.concat(this.#pending);
    this.#pending = [];
    this.start();
    socket.write(bytes);
    if (!this.#live) return;
    if (socket.writableLength <= this.#allowance) this.#allowance = socket.writableLength;
    if (socket.writableLength > this.#allowance + this.#init.maxBufferedBytes) {
      this.#init.onSlow();
      this.end();
    }
  }

  end(error?: TaplineError): void {
    if (this.#ended) return;
    if (error !== undefined) this.#pending.push(frame('ERROR', JSON.stringify(statusOf(error))));
    this.flush();
    this.#ended = true;
    this.start();
    this.#init.response.end();
    this.#init.onEnd();
  }
}

function render(
  stored: StoredObject,
  options: {
    readonly kind: ServedKind;
    readonly form: Form;
    readonly includeObject: IncludeObject;
    readonly nowMs: number;
    readonly columns: boolean;
  },
): string {
  switch (options.form) {
    case 'json':
      return stored.text;
    case 'partial':
      return JSON.stringify(partialObject(stored.object));
    case 'table': {
      const resourceVersion = String(stored.revision);
      return JSON.stringify(
        tableOf(options.kind, [stored.object], { ...options, resourceVersion }),
      );
    }
  }
}

/** One event as one chunk of HTTP/1.1 (RFC 9112 §7.1). */
function frame(type: string, object: string): Buffer {
  const line = `{"type":"${type}","object":${object}}\n`;
  return Buffer.from(`${Buffer.byteLength(line).toString(16)}\r\n${line}\r\n`);
}
