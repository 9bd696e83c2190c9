import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Clock, Log, Rng } from '@tapline/base';
import {
  type Authorize,
  type BlobReplica,
  createMirror,
  createRegistryClient,
  type InProcessTransport,
  type LocalChange,
  type Mirror,
  type RegistryServer,
  type ReplicationEvent,
  type Replicator,
  startReplicator,
} from '@tapline/registry';
import { openRemote } from './open-remote.ts';
import type { RegistryConfiguration } from './registry-configuration.ts';
import type { NeighbourMetrics } from './neighbour-metrics.ts';
import { replicaOfMirror, replicaOfPolicy } from './registry-replicas.ts';

export interface RegistryNeighboursInit {
  readonly configuration: RegistryConfiguration;
  readonly registry: Pick<RegistryServer, 'handle'>;
  readonly inProcess: InProcessTransport;
  readonly authorize: Authorize;
  readonly directory: string;
  readonly metrics: NeighbourMetrics;
  readonly onReplicated: (event: ReplicationEvent) => Promise<void>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** The registries around the embedded one: those it mirrors and those it replicates with. */
export interface RegistryNeighbours extends AsyncDisposable {
  /** Serves `/v2/`: mirrored repositories, and all else by the registry. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Takes up what has to be replicated; durable when it returns. */
  changed(change: LocalChange): void;
  readonly replicator: Replicator;
  /** Where damaged content may be had from, in the order of the configuration. */
  readonly replicas: readonly BlobReplica[];
}

// An upstream that is silent for this long is as good as away: somebody waits.
const mirrorIdleMs = 10_000;
const replicationIdleMs = 60_000;

export async function startRegistryNeighbours(
  init: RegistryNeighboursInit,
): Promise<RegistryNeighbours> {
  const { configuration, registry, inProcess, clock, rng, log, metrics } = init;
  await using opened = new AsyncDisposableStack();
  const local = createRegistryClient({
    baseUrl: 'http://registry',
    transport: inProcess,
    clock,
    rng,
  });

  const replicas: BlobReplica[] = [];
  const upstreams = [];
  for (const { prefix, tagTtlMs, ...remote } of configuration.mirrors) {
    const upstream = opened.use(await openRemote(remote, { clock, rng, idleMs: mirrorIdleMs }));
    replicas.push(replicaOfMirror({ prefix, url: remote.url }, upstream));
    upstreams.push({ prefix, client: upstream, ...(tagTtlMs !== undefined && { tagTtlMs }) });
  }
  const mirror: Mirror | undefined =
    upstreams.length === 0
      ? undefined
      : opened.use(
          await createMirror({
            upstreams,
            directory: join(init.directory, 'mirror'),
            local,
            handleLocally: (request, response) => registry.handle(request, response),
            authorize: init.authorize,
            clock,
            log,
            onRequest: (kind, outcome) => metrics.mirrored(kind, outcome),
            onFetched: (bytes) => metrics.mirrorFetched(bytes),
          }),
        );

  const policies = [];
  for (const { url, caFile, login, ...policy } of configuration.replication) {
    const remote = opened.use(
      await openRemote({ url, caFile, login }, { clock, rng, idleMs: replicationIdleMs }),
    );
    replicas.push(replicaOfPolicy({ ...policy, url }, remote));
    const { platforms, labels, everyMs, bytesPerSecond, ...rest } = policy;
    policies.push({
      ...rest,
      ...(platforms !== undefined && { platforms }),
      ...(labels !== undefined && { labels }),
      ...(everyMs !== undefined && { everyMs }),
      ...(bytesPerSecond !== undefined && { bytesPerSecond }),
      remote,
    });
  }
  const replicator = opened.use(
    startReplicator({
      policies,
      local,
      directory: join(init.directory, 'replication'),
      clock,
      rng,
      log,
      async onEvent(event) {
        metrics.replicated(event);
        await init.onReplicated(event);
      },
    }),
  );
  metrics.replicationBacklog(() => replicator.status());
  const owned = opened.move();
  return {
    handle(request, response) {
      if (mirror?.handle(request, response) !== true) registry.handle(request, response);
    },
    changed: (change) => replicator.changed(change),
    replicator,
    replicas,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
