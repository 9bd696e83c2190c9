import { join } from 'node:path';
import { type ApiServer, type AuditLog, internalIdentity, mastersGroup } from '@tapline/apiserver';
import type { Clock, Log, Rng } from '@tapline/base';
import { createFailureLimiter } from '@tapline/gateway';
import {
  type Authorize,
  createAdminHandler,
  createInProcessTransport,
  createRegistryClient,
  createRegistryServer,
  FileBlobStore,
  type InProcessTransport,
  openSigningKey,
  type RegistryAdmin,
  type RegistryClient,
  type RegistryServer,
} from '@tapline/registry';
import type { ControlPlaneConfiguration } from '../configuration.ts';
import type { Informers } from '../informers.ts';
import type { ControlPlaneMetrics } from '../metrics.ts';
import { collectRegularly } from './collect-regularly.ts';
import { limitLogins } from './limit-logins.ts';
import { createRegistryAccess, type RegistryAccess } from './registry-access.ts';
import { createRegistryAudit } from './registry-audit.ts';
import { type RegistryNeighbours, startRegistryNeighbours } from './registry-neighbours.ts';
import { createRegistryTokens, registryChallenge } from './registry-tokens.ts';
import { createReplicationAudit, localChangesOf } from './replication-audit.ts';
import { createReplicationEndpoint } from './replication-endpoint.ts';

type Handle = Parameters<typeof limitLogins>[0];

export interface RegistryInit {
  readonly api: ApiServer;
  readonly audit: AuditLog;
  readonly directory: string;
  readonly configuration: Pick<
    ControlPlaneConfiguration,
    'registry' | 'registryCollectMs' | 'registryQuotas'
  >;
  /** Once they are there: images of Installs stay, and devices may pull those of their own. */
  readonly installs: () => Informers['installs'] | undefined;
  /** Until then everything counts as used. */
  readonly isReady: () => boolean;
  readonly metrics: Pick<ControlPlaneMetrics, 'registry' | 'neighbours'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** The embedded registry with those it mirrors and replicates to, and who may use it. */
export interface StartedRegistry extends AsyncDisposable {
  readonly blobs: FileBlobStore;
  readonly admin: RegistryAdmin;
  readonly access: RegistryAccess;
  readonly tokens: ReturnType<typeof createRegistryTokens>;
  readonly neighbours: RegistryNeighbours;
  readonly administer: Handle;
  readonly replicate: Handle;
  /** A handler behind the limit on failed logins, which all of them share. */
  limited(handle: Handle): Handle;
  /** The registry as clients see it, mirrored repositories included. */
  readonly client: RegistryClient;
  /** Makes an image of the store known under its name, here and to neighbours. */
  link: RegistryServer['link'];
}

/** Errors: what opening its folder and reaching for neighbours throw. */
export async function startRegistry(init: RegistryInit): Promise<StartedRegistry> {
  const { api, audit, clock, configuration, directory, log, metrics, rng } = init;
  await using opened = new AsyncDisposableStack();
  const late: { neighbours?: RegistryNeighbours; whole?: InProcessTransport } = {};

  const blobs = await FileBlobStore.open(join(directory, 'content'));
  const access = createRegistryAccess({
    api,
    installsOf: (device) => init.installs()?.byIndex('device', device) ?? [],
  });
  const logins = createFailureLimiter({ clock, failures: 10, windowMs: 60_000 });
  const limited = (handle: Handle): Handle =>
    limitLogins(handle, {
      access,
      limiter: logins,
      onLimited: () => metrics.registry.token('limited'),
    });
  const tokens = createRegistryTokens({
    access,
    limiter: logins,
    key: await openSigningKey(join(directory, 'token-key.pem')),
    audit,
    onOutcome: (outcome) => metrics.registry.token(outcome),
    clock,
    log,
  });
  const inProcess = opened.use(
    createInProcessTransport((request, response) => registry.handle(request, response)),
  );
  const authorize: Authorize = (request, wanted) =>
    inProcess.isOwn(request) || late.whole?.isOwn(request) === true
      ? 'allowed'
      : access.authorize(request, wanted, tokens);
  const recordChange = createRegistryAudit({
    audit,
    whoSends: (request) =>
      inProcess.isOwn(request) ? internalIdentity('registry') : access.whoSends(request, tokens),
    clock,
  });
  const registry = opened.use(
    await createRegistryServer({
      blobs,
      directory: directory,
      authorize,
      challenge: registryChallenge,
      quotas: configuration.registryQuotas,
      replicas: () => late.neighbours?.replicas ?? [],
      isInUse: (repository, digest) =>
        !init.isReady() || isInstalled(init.installs(), { repository, digest }),
      async audit(change) {
        // Before the answer, so that what was answered is replicated whatever happens next.
        for (const one of localChangesOf(change)) late.neighbours?.changed(one);
        await recordChange(change);
      },
      observer: metrics.registry.observer,
      clock,
      log,
    }),
  );
  opened.use(
    collectRegularly({
      admin: registry.admin,
      everyMs: configuration.registryCollectMs,
      clock,
      log,
    }),
  );
  const administer = createAdminHandler({
    admin: registry.admin,
    authorize(request) {
      const identity = access.identify(request);
      if (identity === undefined) return 'unauthenticated';
      return identity.groups.includes(mastersGroup) ? 'allowed' : 'denied';
    },
    log,
  });
  const replicationAudit = createReplicationAudit({ audit, clock });
  const neighbours = opened.use(
    await startRegistryNeighbours({
      configuration: configuration.registry,
      registry,
      inProcess,
      authorize,
      directory: directory,
      metrics: metrics.neighbours,
      onReplicated: (event) => replicationAudit.task(event),
      clock,
      rng,
      log,
    }),
  );
  late.neighbours = neighbours;
  const whole = opened.use(
    createInProcessTransport((request, response) => neighbours.handle(request, response)),
  );
  late.whole = whole;
  const client = opened.use(
    createRegistryClient({ baseUrl: 'http://registry', transport: whole, clock, rng }),
  );
  const replicate = createReplicationEndpoint({
    replicator: neighbours.replicator,
    identify: (request) => access.identify(request),
    onRound: (policy, identity) => replicationAudit.round(policy, identity),
    log,
  });
  const owned = opened.move();
  return {
    blobs,
    client,
    admin: registry.admin,
    access,
    tokens,
    neighbours,
    administer,
    replicate,
    limited,
    async link(image) {
      await registry.link(image);
      const { repository, tag, digest } = image;
      neighbours.changed({ kind: 'pushed', repository, reference: tag ?? digest });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whatever tags say. */
function isInstalled(
  installs: Informers['installs'] | undefined,
  image: { readonly repository: string; readonly digest: string },
): boolean {
  return (installs?.list() ?? []).some(
    ({ spec }) => spec.image.repository === image.repository && spec.image.digest === image.digest,
  );
}
