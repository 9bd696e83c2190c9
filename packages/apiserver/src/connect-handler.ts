import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Identity } from './identity.ts';
import type { AnyObject } from './any-object.ts';

/** A request to a subresource that is a stream, authenticated and authorised. */
export interface ConnectRequest {
  readonly identity: Identity;
  readonly object: AnyObject;
  readonly subresource: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  /** Aborts when the request's socket closes or the server stops. */
  readonly signal: AbortSignal;
}

/** What serves such a subresource; the server knows nothing about it but its name and verb. */
export interface ConnectHandler {
  readonly verb: 'get' | 'create';
  /** What is asked for, for the audit log: no secret; undefined where the query is not valid. */
  readonly detail?: (query: URLSearchParams) => string | undefined;
  readonly handle?: (connect: ConnectRequest, response: ServerResponse) => Promise<void>;
  readonly upgrade?: (connect: ConnectRequest, socket: Duplex, head: Buffer) => Promise<void>;
}
