import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  type ConnectHandler,
  createApiServer,
  internalIdentity,
  mastersGroup,
  openAuditLog,
  readRecentAudit,
  recordLostWrites,
} from '@tapline/apiserver';
import { buildVersion, type Clock, type Log, type Rng, TaplineError } from '@tapline/base';
import { createImageBuilder } from '@tapline/builder';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import {
  createCertificateAuthority,
  createEnrolment,
  createDeviceChallenges,
  createEnrolmentHandler,
  createFailureLimiter,
  createFileConnectHandlers,
  createForwardGateway,
  createInstallConnectHandlers,
  createNodeConnectHandlers,
  createSessionHub,
  deviceOfUser,
  type SessionHub,
} from '@tapline/gateway';
import {
  type Authorize,
  createAdminHandler,
  createInProcessTransport,
  createRegistryServer,
  FileBlobStore,
  openSigningKey,
  type RegistryAdmin,
} from '@tapline/registry';
import { openImageKeys, rememberSignatures } from '@tapline/signatures';
import type { IcingaMonitoring } from '@tapline/monitoring';
import { fromIcinga, type OpsBot } from '@tapline/opsbot';
import { taplineResources } from '@tapline/resources';
import { openSqliteStore } from '@tapline/store';
import { writeAdminKubeconfig } from './admin-kubeconfig.ts';
import type { ControlPlaneConfiguration } from './configuration.ts';
import { openDataFolder } from './data-folder.ts';
import { disconnectOldKeys } from './disconnect-old-keys.ts';
import { answerImageKeys } from './answer-image-keys.ts';
import { createExplainHandler } from './explain-handler.ts';
import { createDownloadCounter } from './enrolment/count-downloads.ts';
import { openProfileKeys } from './enrolment/open-profile-keys.ts';
import { createProfileHandler, profileUrl } from './enrolment/profile-handler.ts';
import { edgePaths } from './edge-paths.ts';
import { type EdgeRoute, type HttpEdge, startHttpEdge } from './http-edge.ts';
import { createMetrics } from './metrics.ts';
import { createMonitoringEndpoint } from './monitoring/monitoring-endpoint.ts';
import { startDeviceMonitoring } from './monitoring/start-device-monitoring.ts';
import { createAlertsEndpoint } from './ops/alerts-endpoint.ts';
import { createApprovalHandler } from './ops/approval-handler.ts';
import { createExecuteOnDevice } from './ops/execute-on-device.ts';
import { startOps } from './ops/start-ops.ts';
import { createBuilderSource } from './package/builder-source.ts';
import { collectRegularly } from './registry/collect-regularly.ts';
import { limitLogins } from './registry/limit-logins.ts';
import { createRegistryAccess } from './registry/registry-access.ts';
import { createRegistryAudit } from './registry/registry-audit.ts';
import {
  type RegistryNeighbours,
  startRegistryNeighbours,
} from './registry/registry-neighbours.ts';
import { createReplicationAudit, localChangesOf } from './registry/replication-audit.ts';
import { createReplicationEndpoint } from './registry/replication-endpoint.ts';
import { createRegistryTokens, registryChallenge } from './registry/registry-tokens.ts';
import { type Reconcilers, startReconcilers } from './start-reconcilers.ts';
import { uploadLimit } from './upload-limit.ts';

// A push is hashed and synced before it is answered.
const registrySilenceMs = 120_000;

/** What a control plane runs on. */
export interface ControlPlaneInit {
  readonly configuration: ControlPlaneConfiguration;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** A running control plane; disposing it stops it and keeps its data. */
export interface ControlPlane extends AsyncDisposable {
  /** `https://host:port`, the first advertised host or the loopback address. */
  readonly url: string;
  readonly port: number;
  /** What join tokens carry: base64url of SHA-256 over the CA certificate's DER. */
  readonly caFingerprint: string;
  readonly caCertificatePem: string;
  /** A kubeconfig of the administrator, mode 0600. */
  readonly adminKubeconfigPath: string;
  /** Resolves when the informers are synced and reconcilers run: what /readyz says. */
  readonly ready: Promise<void>;
}

/**
 * Starts the API, registry, gateway and reconcilers in this process. Errors: `store_locked` where
 * another process uses the data folder, `listen_failed`.
 */
export async function startControlPlane(init: ControlPlaneInit): Promise<ControlPlane> {
  const { clock, configuration, log, rng } = init;
  await using opened = new AsyncDisposableStack();
  const folder = await openDataFolder(configuration.dataDirectory);
  // First of all: its lock keeps a second process away from everything else in the folder.
  const store = opened.use(await openSqliteStore({ path: folder.storeFile }));
  const authority = await createCertificateAuthority({ directory: folder.ca, clock });
  const recent = readRecentAudit(folder.auditFile);
  const audit = opened.use(openAuditLog({ path: folder.auditFile }));
  const lost = await recordLostWrites({ store, audit, recent, clock });
  if (lost > 0) log.warn('writes before a crash had no audit entry and have one now', { lost });

  // The API serves streams to devices and plans of reconcilers, which are its clients themselves.
  const late: {
    hub?: SessionHub;
    edge?: HttpEdge;
    reconcilers?: Reconcilers;
    registry?: RegistryAdmin;
    /** What the control plane is reached by. */
    url?: string;
    neighbours?: RegistryNeighbours;
    icinga?: IcingaMonitoring;
    ops?: OpsBot;
    client?: ResourceClient;
    isReady: boolean;
  } = {
    isReady: false,
  };
  const metrics = createMetrics({
    version: buildVersion,
    storeRevision: () => store.revision,
    connectedDevices: () => connectedDevices(late.reconcilers),
    queueDepths: () => late.reconcilers?.depths() ?? {},
    registryUsage: () => late.registry?.usage(),
  });
  const lateHub: Pick<SessionHub, 'call'> = {
    async call(device, start, options) {
      if (late.hub === undefined) {
        throw new TaplineError('unavailable', 'the gateway is starting', { hint: 'try again' });
      }
      return await late.hub.call(device, start, options);
    },
  };
  const streams = {
    ...createInstallConnectHandlers({ hub: lateHub, log }),
    ...createNodeConnectHandlers({ hub: lateHub }),
    ...createFileConnectHandlers({ hub: lateHub }),
  };
  const forwards = createForwardGateway({
    openStream(device, options) {
      if (late.hub === undefined) throw new TaplineError('unavailable', 'the gateway is starting');
      return late.hub.openInTunnel(device, options);
    },
    clock,
    log,
  });
  const api = await createApiServer({
    store,
    definitions: taplineResources,
    clock,
    log,
    audit,
    version: buildVersion,
    metrics,
    connectHandlers: {
      ...streams,
      ...forwards.handlers,
      'deliveries/explain': createExplainHandler((name) => late.reconcilers?.explainDelivery(name)),
      'segments/explain': createExplainHandler((name) => late.reconcilers?.explainSegment(name)),
      'remediations/approve': lateHandler(() =>
        late.client === undefined
          ? undefined
          : createApprovalHandler({ client: late.client, clock }),
      ),
      'installs/explain': createExplainHandler((name) => late.reconcilers?.explainInstall(name)),
    },
  });
  late.client = createInProcessClient(api, internalIdentity('opsbot'));
  const closeApi = once(() => api[Symbol.asyncDispose]());
  opened.defer(closeApi);

  const blobs = await FileBlobStore.open(join(folder.registry, 'content'));
  const access = createRegistryAccess({
    api,
    installsOf: (device) => late.reconcilers?.informers.installs.byIndex('device', device) ?? [],
  });
  const logins = createFailureLimiter({ clock, failures: 10, windowMs: 60_000 });
  const limited = (handle: Parameters<typeof limitLogins>[0]) =>
    limitLogins(handle, {
      access,
      limiter: logins,
      onLimited: () => metrics.registry.token('limited'),
    });
  const tokens = createRegistryTokens({
    access,
    limiter: logins,
    key: await openSigningKey(join(folder.registry, 'token-key.pem')),
    audit,
    onOutcome: (outcome) => metrics.registry.token(outcome),
    clock,
    log,
  });
  const inProcess = opened.use(
    createInProcessTransport((request, response) => registry.handle(request, response)),
  );
  const authorize: Authorize = (request, wanted) =>
    inProcess.isOwn(request) ? 'allowed' : access.authorize(request, wanted, tokens);
  const recordChange = createRegistryAudit({
    audit,
    whoSends: (request) =>
      inProcess.isOwn(request) ? internalIdentity('registry') : access.whoSends(request, tokens),
    clock,
  });
  const registry = opened.use(
    await createRegistryServer({
      blobs,
      directory: folder.registry,
      authorize,
      challenge: registryChallenge,
      quotas: configuration.registryQuotas,
      replicas: () => late.neighbours?.replicas ?? [],
      isInUse: (repository, digest) =>
        !late.isReady || isInstalled(late.reconcilers, repository, digest),
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
  late.registry = registry.admin;
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
      directory: folder.registry,
      metrics: metrics.neighbours,
      onReplicated: (event) => replicationAudit.task(event),
      clock,
      rng,
      log,
    }),
  );
  late.neighbours = neighbours;
  const replication = createReplicationEndpoint({
    replicator: neighbours.replicator,
    identify: (request) => access.identify(request),
    onRound: (policy, identity) => replicationAudit.round(policy, identity),
    log,
  });
  const { icinga } = configuration.monitoring;
  const monitoring = createMonitoringEndpoint({
    icinga: () =>
      icinga === undefined || late.icinga === undefined
        ? undefined
        : { configuration: icinga, monitoring: late.icinga },
    identify: (request) => access.identify(request),
    log,
  });
  const alerts = createAlertsEndpoint({
    identify: (request) => access.identify(request),
    mayNotify: (identity) =>
      api.allows(identity, { verb: 'notify', group: 'tapline.dev', resource: 'opspolicies' }),
    observe(signal) {
      if (late.ops === undefined) throw new TaplineError('unavailable', 'OpsBot does not run here');
      late.ops.observe(signal);
    },
    log,
  });
  const imageKeys = await openImageKeys(folder.imageKeys);
  const signer = rememberSignatures(imageKeys.signer, {
    directory: join(folder.buildCache, 'signatures'),
  });
  const builder = opened.use(
    createImageBuilder({
      store: blobs,
      cacheDirectory: folder.buildCache,
      domains: configuration.homebrew,
      ...(configuration.homebrewToken === undefined ? {} : { token: configuration.homebrewToken }),
      ...(configuration.homebrewBasicToken === undefined
        ? {}
        : { basicToken: configuration.homebrewBasicToken }),
      clock,
      rng,
      log,
    }),
  );
  const profileKeys = await openProfileKeys(folder.profiles, { authority });
  const reconcilers = startReconcilers({
    client: createInProcessClient(api, internalIdentity('control-plane')),
    source: createBuilderSource({
      builder,
      registry: {
        async link(image) {
          await registry.link(image);
          const { repository, tag, digest } = image;
          neighbours.changed({ kind: 'pushed', repository, reference: tag ?? digest });
        },
      },
      blobs,
      signer,
      clock,
    }),
    metrics,
    clock,
    rng,
    log,
    profileUrl(grant, name) {
      const base = configuration.profileBaseUrl ?? late.url;
      const token = profileKeys.links.mint(grant);
      return base === undefined ? undefined : profileUrl(base, { token, name });
    },
    ...configuration,
  });
  late.reconcilers = reconcilers;
  const closeReconcilers = once(() => reconcilers[Symbol.asyncDispose]());
  opened.defer(closeReconcilers);
  const gatewayClient = createInProcessClient(api, internalIdentity('gateway'));
  const challenges = createDeviceChallenges({ authority, clock });
  const hub = createSessionHub({
    client: gatewayClient,
    challenges,
    serveHttp(socket, service) {
      if (late.edge === undefined) socket.destroy();
      else late.edge.accept(socket, service);
    },
    takeForwarded: (stream, tunnel) => forwards.accepted(stream, tunnel),
    clock,
    rng,
    log,
  });
  late.hub = hub;
  const closeHub = once(() => hub[Symbol.asyncDispose]());
  opened.defer(closeHub);
  const enrolment = createEnrolment({ authority, client: gatewayClient, clock, log });
  const enrol = createEnrolmentHandler({
    enrolment,
    authority,
    challenges,
    clock,
    log,
  });

  const serveProfile = createProfileHandler({
    keys: profileKeys,
    byUid: (uid) => reconcilers.informers.enrolments.byIndex('uid', uid)[0],
    count: createDownloadCounter({
      client: createInProcessClient(api, internalIdentity('profiles')),
      clock,
    }),
    clock,
    log,
  });

  const edge = await startHttpEdge({
    authority,
    host: configuration.host,
    port: configuration.port,
    hosts: [...configuration.advertisedHosts, ...reachableHost(configuration.host)],
    clock,
    log,
    routes: Object.entries<Omit<EdgeRoute, 'path'>>({
      api: {
        handle: (request, response) => api.handle(request, response),
        upgrade: (request, socket, head) => api.upgrade(request, socket, head),
        body: uploadLimit,
      },
      ready: { handle: (request, response) => answerReady({ request, response }, late.isReady) },
      registry: {
        handle: limited((request, response) => neighbours.handle(request, response)),
        body: () => ({ kind: 'silence', ms: registrySilenceMs }),
        service: 'registry',
      },
      registryAdmin: { handle: limited(administer) },
      registryTokens: {
        handle: (request, response) => tokens.handle(request, response),
        service: 'registry',
      },
      replication: { handle: limited(replication) },
      replicationPolicy: { handle: limited(replication) },
      monitoring: { handle: limited(monitoring) },
      alerts: { handle: limited(alerts) },
      enrol: { handle: (request, response) => void enrol(request, response) },
      renew: { handle: (request, response) => void enrol(request, response) },
      challenge: { handle: (request, response) => void enrol(request, response) },
      imageKeys: {
        handle: (request, response) => answerImageKeys(request, response, imageKeys.trusted),
        service: 'registry',
      },
      profiles: { handle: (request, response) => void serveProfile(request, response) },
      sessions: { upgrade: (request, socket, head) => void hub.upgrade(request, socket, head) },
    } satisfies Record<keyof typeof edgePaths, Omit<EdgeRoute, 'path'>>).map(([name, route]) => ({
      ...route,
      path: edgePaths[name as keyof typeof edgePaths],
    })),
  });
  late.edge = edge;
  const stopping = new AbortController();
  opened.defer(async () => {
    stopping.abort();
    await late.ops?.[Symbol.asyncDispose]();
    await late.icinga?.[Symbol.asyncDispose]();
    // Nobody new is let in; then what holds connections open ends, and they can close.
    const closed = edge[Symbol.asyncDispose]();
    await closeReconcilers();
    forwards[Symbol.dispose]();
    await closeHub();
    await closeApi();
    await closed;
  });

  opened.defer(
    disconnectOldKeys(reconcilers.informers.devices, (user) => {
      edge.disconnect(user);
      const device = deviceOfUser(user);
      if (device !== undefined) hub.disconnect(device);
    }),
  );

  const host =
    configuration.advertisedHosts[0] ?? reachableHost(configuration.host)[0] ?? '127.0.0.1';
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${edge.port}`;
  late.url = url;
  await writeAdminKubeconfig({ path: folder.adminKubeconfig, url, authority, clock });
  const ready = becomeReady();
  ready.catch(() => undefined);
  async function becomeReady(): Promise<void> {
    await reconcilers.started;
    late.isReady = true;
    if (configuration.opsBot !== 'off' && !stopping.signal.aborted) {
      metrics.ops.source(() => countPhases(reconcilers));
      late.ops = await startOps({
        client: createInProcessClient(api, internalIdentity('opsbot')),
        informers: reconcilers.informers,
        shared: configuration.opsBot === 'shared',
        identity: `control-plane-${randomUUID()}`,
        execute: createExecuteOnDevice({
          hub: lateHub,
          install: (name) => reconcilers.informers.installs.get(name),
        }),
        metrics: metrics.ops,
        reconcileMetrics: metrics.reconcile,
        clock,
        rng,
        log,
      });
    }
    if (icinga !== undefined && !stopping.signal.aborted) {
      late.icinga = startDeviceMonitoring({
        configuration: icinga,
        informers: reconcilers.informers,
        metrics: metrics.monitoring,
        onChange(change) {
          const signal = fromIcinga(change, icinga.prefix);
          if (signal !== undefined) late.ops?.observe(signal);
        },
        clock,
        rng,
        log,
      });
    }
    late.ops?.source('icinga', () => late.icinga?.status().following.live === true);
    log.info('control plane ready', { url });
  }
  const owned = opened.move();
  return {
    url,
    port: edge.port,
    caFingerprint: authority.fingerprint,
    caCertificatePem: authority.certificatePem,
    adminKubeconfigPath: folder.adminKubeconfig,
    ready,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The host to be reached by, where the one to listen at is not every address there is. */
function reachableHost(host: string): readonly string[] {
  return host === '0.0.0.0' || host === '::' ? [] : [host];
}

function answerReady(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  isReady: boolean,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 });
    response.end();
    return;
  }
  const body = isReady ? 'ok' : 'informers are not synced';
  response.writeHead(isReady ? 200 : 503, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** A handler whose parts are there only once the API is that it is part of. */
function lateHandler(make: () => ConnectHandler | undefined): ConnectHandler {
  const now = (): ConnectHandler => {
    const handler = make();
    if (handler === undefined) throw new TaplineError('unavailable', 'OpsBot is starting');
    return handler;
  };
  return {
    verb: 'create',
    detail: (query) => now().detail?.(query),
    handle: async (connect, response) => await now().handle?.(connect, response),
  };
}

function countPhases({ informers }: Reconcilers): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of informers.remediations.list()) {
    const phase = status?.phase ?? 'Waiting';
    counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return counts;
}

/** Images of Installs stay, whatever tags say. */
function isInstalled(
  reconcilers: Reconcilers | undefined,
  repository: string,
  digest: string,
): boolean {
  return (reconcilers?.informers.installs.list() ?? []).some(
    ({ spec }) => spec.image.repository === repository && spec.image.digest === digest,
  );
}

function connectedDevices(reconcilers: Reconcilers | undefined): number {
  return (reconcilers?.informers.devices.list() ?? []).filter(
    ({ status }) => status?.presence?.connected === true,
  ).length;
}

/** The same promise for every call: what is closed in order must not be closed again by the stack. */
function once(close: () => PromiseLike<void>): () => PromiseLike<void> {
  let closing: PromiseLike<void> | undefined;
  return () => (closing ??= close());
}
