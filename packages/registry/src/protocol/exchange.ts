import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Log } from '@tapline/base';
import type { Catalog } from '../catalog/catalog.ts';
import type { FileBlobStore } from '../storage/file-blob-store.ts';
import type { FreeSpace } from '../storage/free-space.ts';
import type { UploadSessions } from '../storage/upload-sessions.ts';
import type { Authorization, RegistryAccess } from './authorize.ts';
import type { FileSender } from './file-sender.ts';
import type { ManifestCache } from './manifest-cache.ts';
import type { RegistryAudit } from './registry-audit.ts';
import type { RegistryObserver } from './registry-observer.ts';

/** What the endpoints work on. */
export interface RegistryState {
  readonly blobs: FileBlobStore;
  readonly catalog: Catalog;
  readonly uploads: UploadSessions;
  readonly manifests: ManifestCache;
  readonly files: FileSender;
  readonly space: FreeSpace;
  /** Content that was asked for less than this ago is not collected. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: RegistryAudit;
  readonly observer: RegistryObserver;
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

/**
 * The body of a request as chunks. Leaving it early does not cut the connection, on which the answer
 * says why.
 */
export function bodyOf({ request }: Exchange): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false });
}
