import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import {
  type Clock,
  type Log,
  type Rng,
  systemClock,
  systemRng,
  TaplineError,
} from '@tapline/base';
import { createHttpClient } from '@tapline/client';
import {
  connectSession,
  type ControlPlaneService,
  createForwardServer,
  type DeviceReport,
  type ForwardPolicy,
  serviceHost,
  type Session,
  TunnelAgent,
} from '@tapline/gateway';
import { createHttpTransport, createRegistryClient, type HttpTransport } from '@tapline/registry';
import {
  createMachineRuntime,
  createRuncRuntime,
  createUnconfinedRuntime,
  createWasmRuntime,
  machineDialects,
  type Runtime,
} from '@tapline/runtimes';
import type { StreamClass } from '@tapline/tunnel';
import { fetchTrustedKeys } from '@tapline/signatures';
import { type AgentCore, createAgentCore } from './agent-core.ts';
import { AgentState } from './agent-state.ts';
import { bootId } from './boot-id.ts';
import { collectAtRest } from './collect-at-rest.ts';
import type { EdgeHealth } from './channels/channel-agent.ts';
import type { EdgeSettings } from './channels/edge-program.ts';
import { endEdge } from './channels/edge-record.ts';
import { createSharedFolder } from './files/shared-folder.ts';
import { agentPlatform } from './agent-platform.ts';
import { followLog } from './follow-log.ts';
import { createIdentityKeeper, type IdentityKeeper } from './identity-keeper.ts';
import type { ImageStore } from './image-store.ts';
import { feedOverApi } from './installs/feed-over-api.ts';
import { feedOverCalls } from './installs/feed-over-calls.ts';
import { type MetricsServer, startMetricsServer } from './metrics-server.ts';
import { openImageStore } from './open-image-store.ts';
import { writePublicIdentity } from './public-identity.ts';
import type { PrometheusMetrics } from './prometheus-metrics.ts';
import { createTrustKeeper } from './trust-keeper.ts';
import { createRenewable, renewableClient } from './renewable-client.ts';
import { readNodeFacts, underlayAddress } from './segments/node-facts.ts';
import { createKeyAgent } from './segments/key-agent.ts';
import { createNodeReporter } from './segments/node-reporter.ts';
import {
  createWorkloadPlaces,
  type WorkloadPlaces,
  workloadNamespaces,
} from './segments/workload-places.ts';
import type { Telemetry } from './telemetry/start-telemetry.ts';
import { startServiceServer } from './services/service-server.ts';
import { createSegmentAgent, type SegmentAgent } from './segments/segment-agent.ts';

export interface AgentConfig {
  /** Gives memory back; called when there has been nothing to do for a while. */
  readonly collectMemory?: () => void;
  /** State, images and containers; `joinDevice` has been here before. */
  readonly dataDirectory: string;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly rng?: Rng;
  /** `unconfined` isolates nothing; only for devices that have no container runtime. */
  readonly runtime?: Exclude<Runtime['name'], 'none'>;
  /**
   * Who switches frames where this is a node; absent: the kernel, unless it cannot. `kernel-vlans`: in
   * one bridge whose VLANs are the segments, for nodes with very many of them.
   */
  readonly datapath?: 'kernel' | 'kernel-vlans' | 'user-space';
  /** Loopback port of /metrics, /healthz and /readyz, 0 for a free one; none where absent. */
  readonly metricsPort?: number;
  /** How often metrics are sent through the tunnel; never where absent or 0. */
  readonly pushMetricsMs?: number;
  /**
   * Loopback port at which programs of this machine reach the control plane by name, 0 for a free one;
   * none where absent.
   */
  readonly servicesPort?: number;
  /** Where this is a node: how it serves channels to players; it serves none unless given. */
  readonly edge?: EdgeSettings;
  /** What the command line of a machine's runtime finds it by, such as HOME and PATH. */
  readonly machineEnvironment?: Readonly<Record<string, string>>;
  /** The one folder whose files users may read and write; none unless given. */
  readonly filesDirectory?: string;
  /**
   * How it hears of its Installs and reports them: as a watch and statuses of the API unless given, or by calls to
   * the gateway, which take 5 MiB more (docs/decisions/0022-tunnel.md). Both are within the tunnel.
   */
  readonly directives?: 'watch' | 'calls';
  /** Which of its ports users may reach, and where it may listen for them; none unless given. */
  readonly forward?: ForwardPolicy;
  /** Bytes to leave free on the disk, and bytes that images may use in all. */
  readonly floorBytes?: number;
  readonly quotaBytes?: number;
}

export interface RunningAgent extends AsyncDisposable {
  readonly device: string;
  readonly metricsPort: number | undefined;
  readonly servicesPort: number | undefined;
  readonly core: AgentCore;
}

const storageReportMs = 30_000;
const edgeKeepaliveMs = 1000;
const quietMs = 5000;

/**
 * Starts the agent of a device that has joined. Disposing it leaves running what runs. Throws
 * `not_joined`, `agent_running`, `runtime_unavailable`.
 */
export async function startAgent(config: AgentConfig): Promise<RunningAgent> {
  const { dataDirectory, version, clock = systemClock, rng = systemRng } = config;
  // Disposed in reverse, and also when a later one fails to start.
  await using opened = new AsyncDisposableStack();
  const state = opened.use(await AgentState.open(dataDirectory));
  const keeper = opened.use(createIdentityKeeper({ state, clock, rng, log: config.log }));
  const { device } = keeper.current;
  const publish = () =>
    writePublicIdentity(dataDirectory, { server: keeper.server.href, identity: keeper.current });
  await publish();
  keeper.onRenewed(publish);
  const log = config.log.with({ device });
  const { metrics, server } = await openMetrics(config, {
    device,
    isReady: () => core.isSynced,
  });
  if (server !== undefined) opened.use(server);
  // What is wired first asks for connections before there is a session to have them from.
  const begun = Promise.withResolvers<Session>();
  begun.promise.catch(() => undefined);
  opened.defer(() =>
    begun.reject(new TaplineError('gateway_unreachable', 'the agent is stopping')),
  );
  const connections = opened.use(openConnections({ version, clock, rng, session: begun.promise }));
  const trust = createTrustKeeper({
    state,
    fetchKeys: () => fetchTrustedKeys(connections.transport(), { server: new URL(registryUrl) }),
    clock,
    log,
  });
  const boot = await bootId(clock);
  const images = opened.use(
    await openImageStore({
      directory: join(dataDirectory, 'images'),
      registry: connections.registry,
      trust,
      boot,
      log,
      ...(config.floorBytes === undefined ? {} : { floorBytes: config.floorBytes }),
      ...(config.quotaBytes === undefined ? {} : { quotaBytes: config.quotaBytes }),
    }),
  );
  const runtime = opened.use(await openRuntime(config, { clock, log }));
  const segments =
    keeper.current.role === 'node'
      ? opened.use(
          await openSegments(config, { device, state, keeper, connections, clock, rng, log }),
        )
      : undefined;
  if (segments !== undefined) metrics?.setSegments(() => segments.agent.metrics());
  const rest = opened.use(
    collectAtRest({ clock, quietMs, collect: () => config.collectMemory?.() }),
  );
  rest.worked();
  const telemetry = opened.use(
    await openTelemetry(config, {
      device,
      metrics,
      transport: connections.telemetry,
      clock,
      rng,
      log,
    }),
  );
  const core: AgentCore = opened.use(
    await createAgentCore({
      onSpans: (spans) => telemetry.spans(spans),
      onWork: () => rest.worked(),
      ...(segments === undefined ? {} : { observeNode: segments.observe, places: segments.places }),
      device,
      installs:
        config.directives === 'calls'
          ? feedOverCalls(async () => await (await begun.promise).calls())
          : feedOverApi(connections.client, device),
      state,
      images,
      runtime,
      followLog,
      clock,
      rng,
      log,
      ...(metrics === undefined ? {} : { metrics }),
      ...(config.filesDirectory === undefined
        ? {}
        : { files: createSharedFolder(config.filesDirectory) }),
    }),
  );
  const report = await createReport(images, { version, runtime, keeper, boot });
  const session = opened.use(
    connectSession({
      server: keeper.server,
      tls: () => keeper.tls(),
      report: report.current,
      service: core.service,
      ...(config.forward === undefined
        ? {}
        : { forwards: createForwardServer({ policy: config.forward, log }) }),
      onConnected: ({ clockSkewMs }) => {
        keeper.setClockSkew(clockSkewMs);
        metrics?.setConnected(true);
        void trust.refresh();
        telemetry.connected();
        segments?.refresh();
      },
      onDisconnected: () => metrics?.setConnected(false),
      // What players depend on is missed within three seconds, also where no word of its end comes.
      ...(config.edge !== undefined && { keepaliveMs: edgeKeepaliveMs }),
      clock,
      rng,
      log,
    }),
  );
  begun.resolve(session);
  keeper.onRenewed(() => {
    session.reconnect();
    return connections.renew();
  });
  const services =
    config.servicesPort === undefined
      ? undefined
      : opened.use(
          await startServiceServer({
            port: config.servicesPort,
            open: (service, owner) => session.openHttp(service, { class: 'bulk', owner }),
            clock,
            log,
          }),
        );
  opened.use(keepReporting(session, { refresh: report.refresh, clock, log }));
  const running = opened.move();
  return {
    device,
    metricsPort: server?.port,
    servicesPort: services?.port,
    core,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function openMetrics(
  config: AgentConfig,
  { device, isReady }: { readonly device: string; readonly isReady: () => boolean },
): Promise<{ readonly metrics?: PrometheusMetrics; readonly server?: MetricsServer }> {
  if (config.metricsPort === undefined) return {};
  // Loaded only where somebody scrapes: an agent at rest stays small.
  const { createPrometheusMetrics } = await import('./prometheus-metrics.ts');
  const metrics = createPrometheusMetrics({
    version: config.version,
    device,
    platform: agentPlatform(config.runtime),
  });
  const server = await startMetricsServer({ port: config.metricsPort, metrics, isReady });
  return { metrics, server };
}

/** Loaded after what the device is there for has begun. */
async function openTelemetry(
  config: AgentConfig,
  init: {
    readonly device: string;
    readonly metrics: PrometheusMetrics | undefined;
    readonly transport: () => HttpTransport;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly log: Log;
  },
): Promise<Telemetry> {
  const { metrics } = init;
  const { startTelemetry } = await import('./telemetry/start-telemetry.ts');
  return await startTelemetry({
    ...init,
    intervalMs: metrics === undefined ? 0 : (config.pushMetricsMs ?? 0),
    series: async (atMs) => (await metrics?.series(atMs)) ?? [],
    url: `http://${serviceHost('metrics')}`,
  });
}

const apiUrl = `http://${serviceHost('api')}`;
const registryUrl = `http://${serviceHost('registry')}`;
/** Layers come a few at a time; more would only share the same path. */
const registryConnections = 8;

/** Connections to the control plane within the tunnel, opened anew when the certificate was renewed. */
function openConnections(init: {
  readonly version: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly session: Promise<Session>;
}): AsyncDisposable & {
  readonly renew: () => Promise<void>;
  readonly client: ReturnType<typeof renewableClient>;
  readonly registry: () => ReturnType<typeof createRegistryClient>;
  readonly transport: () => HttpTransport;
  /** Of what is measured: behind everything else. */
  readonly telemetry: () => HttpTransport;
} {
  const { version, clock, rng } = init;
  async function open(service: ControlPlaneService, streamClass: StreamClass): Promise<Duplex> {
    const session = await init.session;
    return await session.openHttp(service, { class: streamClass });
  }
  const api = createRenewable(() =>
    createHttpClient({
      baseUrl: apiUrl,
      credentials: { kind: 'none' },
      userAgent: `tapline-agent/${version}`,
      agent: new TunnelAgent(() => open('api', 'interactive')),
      clock,
    }),
  );
  const transport = createRenewable(() =>
    createHttpTransport({
      agent: new TunnelAgent(() => open('registry', 'bulk'), { maxSockets: registryConnections }),
    }),
  );
  const telemetry = createRenewable(() =>
    createHttpTransport({
      agent: new TunnelAgent(() => open('metrics', 'bulk'), { maxSockets: 1 }),
    }),
  );
  return {
    client: renewableClient(api),
    telemetry: () => telemetry.current,
    registry: () =>
      createRegistryClient({ baseUrl: registryUrl, transport: transport.current, clock, rng }),
    transport: () => transport.current,
    renew: () =>
      Promise.all([api.renew(), transport.renew(), telemetry.renew()]).then(() => undefined),
    async [Symbol.asyncDispose]() {
      await telemetry[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await transport[Symbol.asyncDispose]();
    },
  };
}

/** A node's part in segments, with the privileged process that it takes. */
async function openSegments(
  config: AgentConfig,
  init: {
    readonly device: string;
    readonly state: AgentState;
    readonly keeper: IdentityKeeper;
    readonly connections: ReturnType<typeof openConnections>;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly log: Log;
  },
): Promise<
  AsyncDisposable & {
    readonly agent: SegmentAgent;
    readonly places: WorkloadPlaces;
    readonly observe: () => Promise<unknown>;
    readonly refresh: () => void;
  }
> {
  const { device, state, keeper, connections, clock, rng, log } = init;
  // Loaded only on nodes: a device's agent stays small.
  const {
    createFabric,
    createMacUnderlay,
    isNamespace,
    keepHelper,
    openUserSpaceFabric,
    startHelper,
  } = await import('@tapline/fabric');
  await using opened = new AsyncDisposableStack();
  const underlay = await knownUnderlay(state, keeper.server);
  const wireguardKeyFile = join(config.dataDirectory, 'wireguard.key');
  const agreementKeyFile = join(config.dataDirectory, 'agreement.key');
  const start = () => startHelper({ wireguardKeyFile, agreementKeyFile });
  const helper = keepHelper({ start, clock, rng, log });
  const { bridge, vxlanGbp, nftables, clsBpf } = await helper.capabilities();
  const able = bridge && vxlanGbp && nftables && clsBpf;
  const { datapath = able ? 'kernel' : 'user-space' } = config;
  const kernelInit = { node: device, helper, clock, log };
  const fabric = opened.use(
    datapath !== 'user-space'
      ? createFabric({ ...kernelInit, layout: datapath === 'kernel' ? 'devices' : 'vlans' })
      : await openUserSpaceFabric({
          node: device,
          clock,
          underlayMtu: 1500,
          underlay:
            process.platform === 'darwin'
              ? createMacUnderlay({ node: device, clock, wireguardKeyFile })
              : createFabric({ ...kernelInit, layout: 'underlay' }),
        }),
  );
  const { client } = connections;
  const namespaces = workloadNamespaces(config.dataDirectory, isNamespace);
  const common = { node: device, client, state, fabric, clock, rng, log };
  const keys = opened.use(createKeyAgent({ ...common, onRing: () => agent.keysChanged() }));
  const agent: SegmentAgent = opened.use(
    createSegmentAgent({ ...common, underlay, keys, namespaceOf: namespaces.find }),
  );
  const places = createWorkloadPlaces({ helper, namespaces, agent, clock });
  const { edge } = config;
  const address = { current: underlay };
  const { openChannels, edgeDirectory } = await import('./channels/open-channels.ts');
  const { dataDirectory } = config;
  // Nothing is said of an edge that was not tried yet: what was known of it stays.
  let health: EdgeHealth = edge === undefined ? { edge: null, edgeError: null } : {};
  if (edge === undefined) await endEdge(edgeDirectory(dataDirectory), { clock });
  else {
    const onEdge = (next: EdgeHealth): void => {
      health = next;
      reporter.refresh();
    };
    const url = (): string => playersUrl(edge, address.current);
    opened.use(openChannels({ ...common, dataDirectory, settings: edge, url, onEdge }));
  }
  const reporter = opened.use(
    createNodeReporter({
      node: device,
      client,
      async read() {
        address.current = await knownUnderlay(state, keeper.server);
        const facts = await readNodeFacts(address.current, fabric);
        return { ...facts, ...health };
      },
      clock,
      rng,
      log,
    }),
  );
  const running = opened.move();
  return {
    agent,
    places,
    observe: () => agent.observe(),
    refresh: () => reporter.refresh(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Where players reach the channels of this node. */
function playersUrl(edge: EdgeSettings, underlay: string): string {
  if (edge.url !== undefined) return edge.url;
  const { host, port } = edge.listen;
  const address = host === '0.0.0.0' || host === '::' ? underlay : host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The node's own address; the last one that it had where there is no way to anywhere now. */
async function knownUnderlay(state: AgentState, server: URL): Promise<string> {
  const key = 'underlay';
  try {
    const address = await underlayAddress(server);
    if (state.meta(key) !== address) state.putMeta(key, address);
    return address;
  } catch (error) {
    const last = state.meta(key);
    if (typeof last === 'string') return last;
    throw error;
  }
}

async function openRuntime(
  config: AgentConfig,
  init: { readonly clock: Clock; readonly log: Log },
): Promise<Runtime> {
  const directory = join(config.dataDirectory, 'runtime');
  const { runtime = 'runc' } = config;
  switch (runtime) {
    case 'unconfined':
      return await createUnconfinedRuntime({ ...init, directory, acceptNoIsolation: true });
    case 'wasm':
      return await createWasmRuntime({ ...init, directory });
    case 'runc':
      return await createRuncRuntime({ ...init, directory });
    default: {
      const dialect = machineDialects[runtime];
      const { machineEnvironment: environment = {} } = config;
      return await createMachineRuntime({ ...init, directory, dialect, environment });
    }
  }
}

async function createReport(
  images: ImageStore,
  init: {
    readonly version: string;
    readonly runtime: Runtime;
    readonly keeper: IdentityKeeper;
    readonly boot: string;
  },
): Promise<{ readonly current: () => DeviceReport; readonly refresh: () => Promise<boolean> }> {
  let storage = await images.storage();
  return {
    current: () => ({
      agentVersion: init.version,
      platform: agentPlatform(init.runtime.name),
      bootId: init.boot,
      runtimes: [init.runtime.name],
      storage,
      certificateNotAfter: new Date(init.keeper.current.notAfter).toISOString(),
    }),
    /** Whether it is worth telling: other programs use the disk too, a little all the time. */
    async refresh() {
      const before = storage;
      storage = await images.storage();
      const change = Math.abs(storage.freeBytes - before.freeBytes);
      return storage.usedBytes !== before.usedBytes || change > before.freeBytes / 100;
    },
  };
}

function keepReporting(
  session: Session,
  init: {
    readonly refresh: () => Promise<boolean>;
    readonly clock: Clock;
    readonly log: Log;
  },
): AsyncDisposable {
  const { refresh, clock, log } = init;
  const stopping = new AbortController();
  async function run(): Promise<void> {
    try {
      for (;;) {
        await clock.sleep(storageReportMs, { signal: stopping.signal });
        if (await refresh()) session.refresh();
      }
    } catch (error) {
      if (!stopping.signal.aborted) log.error('storage is not reported any more', { error });
    }
  }
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await running;
    },
  };
}
