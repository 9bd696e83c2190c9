import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Log } from '@tapline/base';
import type { Authorization, RegistryAccess } from './authorize.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { RepositoryIndex } from '../storage/repository-index.ts';
import type { UploadSessions } from '../storage/upload-sessions.ts';

/** What the endpoints work on. */
export interface RegistryState {
  readonly blobs: BlobStore;
  readonly index: RepositoryIndex;
  readonly uploads: UploadSessions;
  readonly clock: Clock;
  readonly log: Log;
}

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Decides on access beyond that of the route itself. */
  readonly access: (access: RegistryAccess) => Promise<Authorization>;
}

/** Answers without a body. */
export function answer(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  exchange.response.writeHead(status, { 'content-length': 0, ...headers }).end();
}

/** Answers with JSON; HEAD gets the headers only. */
export function answerJson(
  exchange: Exchange,
  body: unknown,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  exchange.response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...headers,
  });
  exchange.response.end(exchange.request.method === 'HEAD' ? undefined : bytes);
}
