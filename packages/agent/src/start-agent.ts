import { join } from 'node:path';
import { systemClock, systemRng, TaplineError } from '@tapline/base';
import { connectSession, createForwardServer, type Session } from '@tapline/gateway';
import { fetchTrustedKeys } from '@tapline/signatures';
import { type AgentCore, createAgentCore } from './agent-core.ts';
import { AgentState } from './agent-state.ts';
import { bootId } from './boot-id.ts';
import { collectAtRest } from './collect-at-rest.ts';
import { createSharedFolder } from './files/shared-folder.ts';
import { followLog } from './follow-log.ts';
import { createIdentityKeeper } from './identity-keeper.ts';
import { feedOverApi } from './installs/feed-over-api.ts';
import { feedOverCalls } from './installs/feed-over-calls.ts';
import { feedWithFallback } from './installs/feed-with-fallback.ts';
import { openImageStore } from './open-image-store.ts';
import { writePublicIdentity } from './public-identity.ts';
import { createInstallPorts } from './ports/install-ports.ts';
import { createTrustKeeper } from './trust-keeper.ts';
import { startServiceServer } from './services/service-server.ts';
import type { AgentConfig } from './agent-config.ts';
import { createReport, keepReporting } from './device-report.ts';
import { openConnections, registryUrl } from './open-connections.ts';
import { openMetrics } from './open-metrics.ts';
import { openRuntime } from './open-runtime.ts';
import { openSegments } from './segments/open-segments.ts';
import { openTelemetry } from './telemetry/open-telemetry.ts';

export interface RunningAgent extends AsyncDisposable {
  readonly device: string;
  readonly metricsPort: number | undefined;
  readonly servicesPort: number | undefined;
  readonly core: AgentCore;
}

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
  const overApi = feedOverApi(connections.client, device);
  const core: AgentCore = opened.use(
    await createAgentCore({
      onSpans: (spans) => telemetry.spans(spans),
      onWork: () => rest.worked(),
      ...(segments === undefined ? {} : { observeNode: segments.observe, places: segments.places }),
      ports: (onLost) => createInstallPorts({ dataDirectory, onLost, clock, log }),
      device,
      installs:
        config.directives === 'calls'
          ? feedWithFallback({
              calls: feedOverCalls(async () => await (await begun.promise).calls()),
              api: overApi,
              log,
            })
          : overApi,
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
