import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  type ConnectHandler,
  createApiServer,
  internalIdentity,
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
  createFileConnectHandlers,
  createForwardGateway,
  createInstallConnectHandlers,
  createNodeConnectHandlers,
  createPingConnectHandlers,
  createSessionHub,
  deviceOfUser,
  type SessionHub,
} from '@tapline/gateway';
import type { RegistryAdmin } from '@tapline/registry';
import { openImageKeys, rememberSignatures } from '@tapline/signatures';
import type { IcingaMonitoring } from '@tapline/monitoring';
import { fromIcinga, type OpsBot } from '@tapline/opsbot';
import { taplineResources } from '@tapline/resources';
import { openSqliteStore } from '@tapline/store';
import type { Span } from '@tapline/telemetry';
import { writeAdminKubeconfig } from './admin-kubeconfig.ts';
import { createClientsOfDevices } from './clients-of-devices.ts';
import type { ControlPlaneConfiguration } from './configuration.ts';
import { openDataFolder } from './data-folder.ts';
import { createDevicePageHandler } from './device-page/create-device-page-handler.ts';
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
import { createMetrics } from './metrics.ts';
import { createMonitoringEndpoint } from './monitoring/monitoring-endpoint.ts';
import { startDeviceMonitoring } from './monitoring/start-device-monitoring.ts';
import { controlPlaneResource, openTelemetry } from './telemetry/open-telemetry.ts';
import { createTelemetryEndpoint } from './telemetry/telemetry-endpoint.ts';
import { createAlertsEndpoint } from './ops/alerts-endpoint.ts';
import { createApprovalHandler, createGiveApproval } from './ops/approval-handler.ts';
import { createChatDesk } from './ops/chat/chat-desk.ts';
import { type Chats, openChats } from './ops/chat/open-chats.ts';
import { createExecuteOnDevice } from './ops/execute-on-device.ts';
import { startOps } from './ops/start-ops.ts';
import { createBuilderSource } from './package/builder-source.ts';
import { createImageSource } from './package/image-source.ts';
import { createPackageSource } from './package/create-package-source.ts';
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

  // The API serves streams to devices and plans of reconcilers, which are its clients themselves.
  const late: {
    hub?: SessionHub;
    edge?: HttpEdge;
    reconcilers?: Reconcilers;
    registry?: RegistryAdmin;
    /** What the control plane is reached by. */
    url?: string;
    icinga?: IcingaMonitoring;
    ops?: OpsBot;
    chats?: Chats;
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
    ...createPingConnectHandlers({ hub: lateHub, clock }),
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
  const { access, blobs, neighbours } = registry;
  late.registry = registry.admin;
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
  const telemetry = opened.use(
    openTelemetry({ ...configuration.monitoring, metrics: metrics.telemetry, clock, log }),
  );
  const { exporter } = telemetry;
  const takeTelemetry = createTelemetryEndpoint({
    ...telemetry,
    identify: (request) => access.identify(request),
    isDevice: (identity, name) =>
      api.allows(identity, { verb: 'get', group: 'tapline.dev', resource: 'devices', name }),
    metrics: metrics.telemetry,
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
    source: createPackageSource({
      homebrew: createBuilderSource({ builder, registry, blobs, signer, clock }),
      images: createImageSource({ client: registry.client, clock }),
    }),
    metrics,
    // Without anybody to take them none are made.
    ...(exporter !== undefined && {
      onSpans: (spans: readonly Span[]) => exporter.export(spans, controlPlaneResource),
    }),
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
          if (late.chats?.slack !== undefined) late.chats.slack(request, response);
          else answerJson(response, 401, { code: 'unauthorized', message });
        }),
      },
      telemetryMetrics: { handle: takeTelemetry, service: 'metrics' },
      telemetryTraces: { handle: takeTelemetry, service: 'metrics' },
      enrol: { handle: (request, response) => void enrol(request, response) },
      renew: { handle: (request, response) => void enrol(request, response) },
      challenge: { handle: (request, response) => void enrol(request, response) },
      imageKeys: {
        handle: (request, response) => answerImageKeys(request, response, imageKeys.trusted),
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
    await late.chats?.[Symbol.asyncDispose]();
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
    const { channels, attachments } = reconcilers.informers;
    metrics.channels.source(() => channels.list());
    metrics.segments.source(() => attachments.list());
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
        ...(exporter !== undefined && {
          onSpans: (spans: readonly Span[]) => exporter.export(spans, controlPlaneResource),
        }),
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
          // Of what is no device OpsBot hears by conditions, but for what Icinga itself looked at.
          const isOther = change.object.host.slice(icinga.prefix.length).includes('_');
          if (isOther && change.object.service?.startsWith('check-') !== true) return;
          const signal = fromIcinga(change, icinga.prefix);
          if (signal !== undefined) late.ops?.observe(signal);
        },
        clock,
        rng,
        log,
      });
    }
    const { chat } = configuration.monitoring;
    if (chat !== undefined && !stopping.signal.aborted) {
      const client = createInProcessClient(api, internalIdentity('opsbot'));
      late.chats = openChats(chat, {
        desk: createChatDesk({
          client,
          allows: (identity, action) => api.allows(identity, action),
          approve: createGiveApproval({ client, clock }),
          audit,
          clock,
        }),
        remediations: reconcilers.informers.remediations,
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
