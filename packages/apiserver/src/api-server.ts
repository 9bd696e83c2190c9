import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, type Log, systemRng, TaplineError } from '@tapline/base';
import {
  clusterRoleBindingResource,
  clusterRoleResource,
  eventResource,
  type KindDefinition,
  leaseResource,
  namespaceResource,
  type Token,
} from '@tapline/resources';
import type { Store } from '@tapline/store';
import { createAccessControl } from './access/authorize.ts';
import { createAdmission } from './access/admission-rules.ts';
import { createDeviceAuthorizer } from './access/device-authorizer.ts';
import { followPolicy } from './access/follow-policy.ts';
import { RbacPolicy } from './access/rbac-policy.ts';
import { createAuthenticator } from './access/create-authenticator.ts';
import { verifyAccessToken } from './access/verify-access-token.ts';
import type { AnyObject } from './any-object.ts';
import type { AuditSink } from './audit-entry.ts';
import { writeBootstrapObjects } from './bootstrap-objects.ts';
import type { ConnectHandler } from './connect-handler.ts';
import type { Identity } from './identity.ts';
import { createOperations } from './create-operations.ts';
import type { AdmissionRequest } from './engine/admission.ts';
import { Engine } from './engine/engine.ts';
import { Gate } from './gate.ts';
import { expositionEnd, type MetricsFormat, metricsTypes } from '@tapline/telemetry';
import { createApiMetrics } from './http/api-metrics.ts';
import { createDiscovery } from './http/discovery.ts';
import { type ApiLimits, HttpHandler } from './http/http-handler.ts';
import { createOpenApi } from './http/openapi.ts';
import { StaticPages } from './http/static-pages.ts';
import { ObjectCache } from './object-cache.ts';
import type { Operations } from './operations.ts';
import { type ServedKind, serveKind } from './served-kind.ts';
import { Service } from './service.ts';
import { WatchHub } from './watch/watch-hub.ts';

export interface ApiServerInit {
  readonly store: Store;
  /** What to serve beside Kubernetes's own small kinds (Namespace, Event, Lease, ClusterRole…). */
  readonly definitions: readonly KindDefinition[];
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  /** Of the product, for /version. */
  readonly version: string;
  /** Subresources that are streams, by `<plural>/<subresource>`, such as `installs/exec`. */
  readonly connectHandlers?: Readonly<Record<string, ConnectHandler>>;
  /** What /metrics says beside the server's own. */
  readonly metrics?: { text(format: MetricsFormat): Promise<string> };
  readonly limits?: Partial<ApiServerLimits>;
}

export interface ApiServerLimits extends ApiLimits {
  /** Parsed objects kept in memory. */
  readonly cachedObjects: number;
  readonly maxWatchesPerUser: number;
  readonly bookmarkMs: number;
}

export interface ApiServer extends AsyncDisposable {
  /** The HTTP edge: mount it on a server of node:http or node:https. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** The same without HTTP. */
  readonly operations: Operations;
  /**
   * Who sends a request, for what is served beside the API on the same connections. Throws
   * `unauthorized` where a bearer token is not valid.
   */
  authenticate(request: IncomingMessage): Identity;
  /** Who an access token speaks for, for protocols that send it as a password. */
  identityOfToken(token: string): Identity | undefined;
  /** Whether somebody may do something with a resource, for what is served beside the API. */
  allows(identity: Identity, action: AllowedAction): boolean;
}

export interface AllowedAction {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
}

const defaultLimits: ApiServerLimits = {
  maxBodyBytes: 3 * 1024 * 1024,
  maxBufferedWatchBytes: 4 * 1024 * 1024,
  watchTimeoutMs: 30 * 60_000,
  cachedObjects: 20_000,
  maxWatchesPerUser: 500,
  bookmarkMs: 30_000,
};

const ownDefinitions: readonly KindDefinition[] = [
  namespaceResource,
  eventResource,
  leaseResource,
  clusterRoleResource,
  clusterRoleBindingResource,
];

/** Starts serving the kinds over a store; resolves when policies are loaded. */
export async function createApiServer(init: ApiServerInit): Promise<ApiServer> {
  const { store, clock, log, audit, connectHandlers = {} } = init;
  const limits = { ...defaultLimits, ...init.limits };
  const kinds = [...ownDefinitions, ...init.definitions].map((one) => serveKind(one));
  const kindOf = (group: string, plural: string): ServedKind | undefined =>
    kinds.find((kind) => kind.group === group && kind.plural === plural);

  const cache = new ObjectCache(limits.cachedObjects);
  const policy = new RbacPolicy();
  const access = createAccessControl({
    policy,
    deviceAuthorizer: createDeviceAuthorizer((group, plural, name) => {
      const kind = kindOf(group, plural);
      return kind === undefined ? undefined : engine.find(kind, undefined, name)?.object;
    }),
  });
  const admit = createAdmission({
    access,
    namespaceKind: kindOf('', 'namespaces'),
    segmentKind: kindOf('tapline.dev', 'segments'),
    opsPolicyKind: kindOf('tapline.dev', 'opspolicies'),
  });
  const engine: Engine = new Engine({
    store,
    cache,
    clock,
    rng: systemRng,
    newUid: randomUUID,
    admission: (request: AdmissionRequest) => admit(request),
  });

  const stop = new AbortController();
  const { bookmarkMs } = limits;
  const hub = await WatchHub.start({ store, kinds, cache, clock, log, bookmarkMs });
  const gate = new Gate({ access, audit, clock, newId: randomUUID });
  const { maxWatchesPerUser } = limits;
  const sources = { store, cache, hub };
  const service = new Service({ kinds, engine, gate, sources, hub, maxWatchesPerUser });
  await followPolicy({ hub, policy, kindOf, log, signal: stop.signal });
  await writeBootstrapObjects(service);

  const metrics = createApiMetrics(() => hub.watcherCount);
  const pages = new StaticPages({
    discovery: createDiscovery(kinds, connectHandlers),
    openApi: createOpenApi(kinds, init.version),
    access,
    policy,
    version: init.version,
    ready: () => !stop.signal.aborted,
    metrics: async (format) => ({
      contentType: metricsTypes[format],
      text: `${await metrics.text(format)}${(await init.metrics?.text(format)) ?? ''}${expositionEnd[format]}`,
    }),
    maxBodyBytes: limits.maxBodyBytes,
  });
  const tokens = kindOf('tapline.dev', 'tokens');
  const findToken = (name: string): AnyObject | undefined =>
    tokens === undefined ? undefined : engine.find(tokens, undefined, name)?.object;
  const authenticate = createAuthenticator({ clock, findToken });
  const handler = new HttpHandler({
    kinds,
    service,
    engine,
    gate,
    access,
    pages,
    connectHandlers,
    authenticate,
    metrics,
    limits,
    clock,
    rng: systemRng,
    log,
    stop: stop.signal,
  });
  return {
    handle: (request, response) => handler.handle(request, response),
    upgrade: (request, socket, head) => handler.upgrade(request, socket, head),
    operations: createOperations(service),
    authenticate,
    identityOfToken: (token) =>
      verifyAccessToken(token, (name) => findToken(name) as Token | undefined, clock.now()),
    allows: (identity, action) =>
      access.decide({
        identity,
        subresource: '',
        namespace: undefined,
        name: undefined,
        requiredField: undefined,
        ...action,
      }).allowed,
    async [Symbol.asyncDispose]() {
      stop.abort(new TaplineError('unavailable', 'the server is stopping'));
      await hub[Symbol.asyncDispose]();
    },
  };
}
