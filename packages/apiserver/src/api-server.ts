import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, type Log, TaplineError } from '@tapline/base';
import type { KindDefinition } from '@tapline/resources';
import type { AuditSink } from './audit-entry.ts';
import type { ConnectHandler } from './connect-handler.ts';
import type { Operations } from './operations.ts';

export interface ApiServerInit {
  /** What to serve beside Kubernetes's own small kinds (Namespace, Event, Lease, ClusterRole…). */
  readonly definitions: readonly KindDefinition[];
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  /** Of the product, for /version. */
  readonly version: string;
  /** Subresources that are streams, by `<plural>/<subresource>`, such as `installs/exec`. */
  readonly connectHandlers?: Readonly<Record<string, ConnectHandler>>;
}

export interface ApiServer extends AsyncDisposable {
  /** The HTTP edge: mount it on a server of node:http or node:https. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The same without HTTP. */
  readonly operations: Operations;
}

/** Starts serving the kinds over a store; resolves when policies are loaded. */
export async function createApiServer(init: ApiServerInit): Promise<ApiServer> {
  throw new TaplineError('unavailable', `cannot serve ${init.definitions.length} kinds yet`);
}
