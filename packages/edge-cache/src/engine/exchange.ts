import type { HeaderFields } from '../rfc/header-fields.ts';

/** A request as every protocol gives it. */
export interface EdgeRequest {
  readonly method: string;
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  readonly fields: HeaderFields;
  /** Undefined where there is none. Read once. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  readonly bodyLength: number | undefined;
  readonly secure: boolean;
}

/** Writes one body; whoever writes waits where `write` says so. */
export interface BodyWriter {
  /** Undefined where more may follow at once, otherwise when it may. Never rejects. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** As `write`; resolves once the bytes may be overwritten. Never rejects. */
  lend(chunk: Uint8Array): Promise<void>;
  end(): void;
  /** Cuts the answer off so that the client sees that it is not whole. */
  cut(): void;
}

/** Where an answer goes; used once, by `respond`, `respondPrepared` or `start`. */
export interface Responder {
  /** The client is gone; nothing written arrives. */
  readonly gone: boolean;
  /** Called once when the client goes before the answer is whole. */
  onGone(listener: () => void): void;
  /** A whole answer. A body is left out for HEAD by the caller. */
  respond(status: number, fields: HeaderFields, body?: Uint8Array): void;
  /** A body of `length` bytes, or of unknown length, in pieces. */
  start(status: number, fields: HeaderFields, length: number | undefined): BodyWriter;
  /** Whether `respondPrepared` may be called: not every protocol has a form that is the same for all. */
  readonly takesPrepared: boolean;
  respondPrepared(answer: PreparedAnswer): void;
}

/** A whole answer in the form of HTTP/1.1, made once for many. */
export interface PreparedAnswer {
  readonly head: Uint8Array;
  /** Undefined where it is in `head`. */
  readonly body: Uint8Array | undefined;
}

export type Handle = (request: EdgeRequest, responder: Responder) => void;
