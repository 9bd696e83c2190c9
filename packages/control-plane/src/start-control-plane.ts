import {
  createApiServer,
  internalIdentity,
  openAuditLog,
  readRecentAudit,
  recordLostWrites,
} from '@tapline/apiserver';
import { buildVersion, type Clock, type Log, type Rng, TaplineError } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import {
  createCertificateAuthority,
  createEnrolment,
  createDeviceChallenges,
  createEnrolmentHandler,
  createSessionHub,
  deviceOfUser,
  type SessionHub,
} from '@tapline/gateway';
import type { RegistryAdmin } from '@tapline/registry';
import { taplineResources } from '@tapline/resources';
import { openSqliteStore } from '@tapline/store';
import type { Span } from '@tapline/telemetry';
import { writeAdminKubeconfig } from './admin-kubeconfig.ts';
import { createClientsOfDevices } from './clients-of-devices.ts';
import type { ControlPlaneConfiguration } from './configuration.ts';
import { openDataFolder } from './data-folder.ts';
import { createDevicePageHandler } from './device-page/create-device-page-handler.ts';
import { createDeviceStreams } from './device-streams.ts';
import { disconnectOldKeys } from './disconnect-old-keys.ts';
import { answerImageKeys } from './answer-image-keys.ts';
import { answerJson } from './json-answers.ts';
import { answerReady } from './answer-ready.ts';
import { createExplainHandler } from './explain-handler.ts';
import { createDownloadCounter } from './enrolment/count-downloads.ts';
import { openProfileKeys } from './enrolment/open-profile-keys.ts';
import { createProfileHandler, profileUrl } from './enrolment/profile-handler.ts';
import { edgePaths } from './edge-paths.ts';
import { type EdgeRoute, type HttpEdge, startHttpEdge } from './http-edge.ts';
import { lateHandler } from './late-handler.ts';
import { createMetrics } from './metrics.ts';
import { createMonitoringEndpoint } from './monitoring/monitoring-endpoint.ts';
import { controlPlaneResource, openTelemetry } from './telemetry/open-telemetry.ts';
import { createTelemetryEndpoint } from './telemetry/telemetry-endpoint.ts';
import { createAlertsEndpoint } from './ops/alerts-endpoint.ts';
import { createApprovalHandler, createGiveApproval } from './ops/approval-handler.ts';
import { type Operations, startOperations } from './ops/start-operations.ts';
import { openPackageSource } from './package/open-package-source.ts';
import { startRegistry } from './registry/start-registry.ts';
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

  // What the API serves is made of clients of the API itself.
  const late: {
    hub?: SessionHub;
    edge?: HttpEdge;
    reconcilers?: Reconcilers;
    registry?: RegistryAdmin;
    /** What the control plane is reached by. */
    url?: string;
    starting?: Promise<Operations>;
    operations?: Operations;
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
  const streams = createDeviceStreams({ hub: () => late.hub, clock, log });
  const api = await createApiServer({
    store,
    definitions: taplineResources,
    clock,
    log,
    audit,
    version: buildVersion,
    metrics,
    connectHandlers: {
      ...streams.handlers,
      'deliveries/explain': createExplainHandler((name) => late.reconcilers?.explainDelivery(name)),
      'segments/explain': createExplainHandler((name) => late.reconcilers?.explainSegment(name)),
      'remediations/approve': lateHandler(() =>
        late.client === undefined
          ? undefined
          : createApprovalHandler(createGiveApproval({ client: late.client, clock })),
      ),
      'installs/explain': createExplainHandler((name) => late.reconcilers?.explainInstall(name)),
    },
  });
  late.client = createInProcessClient(api, internalIdentity('opsbot'));
  const closeApi = once(() => api[Symbol.asyncDispose]());
  opened.defer(closeApi);

  const registry = opened.use(
    await startRegistry({
      api,
      audit,
      directory: folder.registry,
      configuration,
      installs: () => late.reconcilers?.informers.installs,
      isReady: () => late.isReady,
      metrics,
      clock,
      rng,
      log,
    }),
  );
  const { access, neighbours } = registry;
  late.registry = registry.admin;
  const { icinga } = configuration.monitoring;
  const monitoring = createMonitoringEndpoint({
    icinga: () => {
      const running = late.operations?.icinga;
      if (icinga === undefined || running === undefined) return undefined;
      return { configuration: icinga, monitoring: running };
    },
    identify: (request) => access.identify(request),
    log,
  });
  const alerts = createAlertsEndpoint({
    identify: (request) => access.identify(request),
    mayNotify: (identity) =>
      api.allows(identity, { verb: 'notify', group: 'tapline.dev', resource: 'opspolicies' }),
    observe(signal) {
      const bot = late.operations?.bot;
      if (bot === undefined) throw new TaplineError('unavailable', 'OpsBot does not run here');
      bot.observe(signal);
    },
    log,
  });
  const telemetry = opened.use(
    openTelemetry({ ...configuration.monitoring, metrics: metrics.telemetry, clock, log }),
  );
  const { exporter } = telemetry;
  // Without anybody to take them none are made.
  const traces = exporter !== undefined && {
    onSpans: (spans: readonly Span[]) => exporter.export(spans, controlPlaneResource),
  };
  const takeTelemetry = createTelemetryEndpoint({
    ...telemetry,
    identify: (request) => access.identify(request),
    isDevice: (identity, name) =>
      api.allows(identity, { verb: 'get', group: 'tapline.dev', resource: 'devices', name }),
    metrics: metrics.telemetry,
    log,
  });
  const packages = opened.use(
    await openPackageSource({ folder, configuration, registry, clock, rng, log }),
  );
  const profileKeys = await openProfileKeys(folder.profiles, { authority });
  const reconcilers = startReconcilers({
    client: createInProcessClient(api, internalIdentity('control-plane')),
    source: packages.source,
    metrics,
    ...traces,
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
    clientOf: createClientsOfDevices({ api, clock }),
    takeForwarded: (stream, tunnel) => streams.forwards.accepted(stream, tunnel),
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
        handle: registry.limited((request, response) => neighbours.handle(request, response)),
        body: () => ({ kind: 'silence', ms: registrySilenceMs }),
        service: 'registry',
      },
      registryAdmin: { handle: registry.limited(registry.administer) },
      registryTokens: {
        handle: (request, response) => registry.tokens.handle(request, response),
        service: 'registry',
      },
      replication: { handle: registry.limited(registry.replicate) },
      replicationPolicy: { handle: registry.limited(registry.replicate) },
      monitoring: { handle: registry.limited(monitoring) },
      alerts: { handle: registry.limited(alerts) },
      slack: {
        handle: registry.limited((request, response) => {
          // As what is not signed, where nobody has a secret to sign it with.
          const message = 'no Slack is configured';
          const slack = late.operations?.chats?.slack;
          if (slack !== undefined) slack(request, response);
          else answerJson(response, 401, { code: 'unauthorized', message });
        }),
      },
      telemetryMetrics: { handle: takeTelemetry, service: 'metrics' },
      telemetryTraces: { handle: takeTelemetry, service: 'metrics' },
      enrol: { handle: (request, response) => void enrol(request, response) },
      renew: { handle: (request, response) => void enrol(request, response) },
      challenge: { handle: (request, response) => void enrol(request, response) },
      imageKeys: {
        handle: (request, response) => answerImageKeys(request, response, packages.trustedKeys),
        service: 'registry',
      },
      profiles: { handle: (request, response) => void serveProfile(request, response) },
      devicePage: { handle: createDevicePageHandler({ folder: configuration.devicePage, log }) },
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
    // What is just starting would else go on without anybody to stop it.
    const operations = await late.starting?.catch(() => undefined);
    await operations?.[Symbol.asyncDispose]();
    // Nobody new is let in; then what holds connections open ends, and they can close.
    const closed = edge[Symbol.asyncDispose]();
    await closeReconcilers();
    streams.forwards[Symbol.dispose]();
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
    const { channels, attachments } = reconcilers.informers;
    metrics.channels.source(() => channels.list());
    metrics.segments.source(() => attachments.list());
    if (stopping.signal.aborted) return;
    late.starting = startOperations({
      configuration,
      api,
      audit,
      informers: reconcilers.informers,
      hub: streams.hub,
      metrics,
      ...traces,
      clock,
      rng,
      log,
    });
    late.operations = await late.starting;
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
