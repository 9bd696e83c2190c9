import {
  type AgentCore,
  createAgentCore,
  feedOverCalls,
  type FollowLog,
  type InstallRecord,
} from '@tapline/agent';
import {
  type Clock,
  type Log,
  type Rng,
  systemClock,
  systemRng,
  TaplineError,
} from '@tapline/base';
import type { SendHttp } from '@tapline/client';
import {
  type ControlPlaneService,
  encodeWebSocketIdentity,
  keepSession,
  type KeepSessionInit,
  type KeptSession,
  sendOnStream,
  serviceHost,
  tunnelPath,
} from '@tapline/gateway';
import type { Runtime } from '@tapline/runtimes';
import { type Dial, dialWebSocket, type StreamClass, tunnelSubprotocol } from '@tapline/tunnel';
import { createGatewayEndpoints } from './gateway-endpoints.ts';
import { holdPage } from './hold-page.ts';
import { keepPageIdentity } from './keep-page-identity.ts';
import { noRuntime } from './no-runtime.ts';
import { openPageDatabase } from './page-database.ts';
import { answerChallenge, findPageIdentity, type PageIdentity } from './page-identity.ts';
import { createPageImageStore, type PageImageStore } from './page-image-store.ts';
import { openPageKey } from './page-key.ts';
import { createPageRegistry } from './page-registry.ts';
import { openPageState } from './page-state.ts';
import { openPageTrust } from './page-trust.ts';

export interface PageAgentConfig {
  /** The control plane; the page's own origin, as browsers refuse others. */
  readonly server: URL;
  /** The name of the page's storage, where `joinPage` has been before. */
  readonly storage: string;
  readonly version: string;
  readonly platform: string;
  readonly log: Log;
  /** Runs what is delivered, out of the layers that the page keeps; without it nothing is run. */
  readonly programs?: (images: Pick<PageImageStore, 'layers'>) => PagePrograms;
  /** Hears of each connection and of its end; why there is none is in the log. */
  readonly onConnected?: KeepSessionInit['onConnected'];
  readonly onDisconnected?: () => void;
  /** Hears why there is no connection, each time that one is tried. */
  readonly onRefused?: (error: unknown) => void;
  /** Something has changed of what `installs` answers. */
  readonly onInstalls?: () => void;
  readonly clock?: Clock;
  readonly rng?: Rng;
  /** First pause between attempts to connect; they grow to `maxBackoffMs`. */
  readonly baseBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

/** A runtime, and where what its programs print can be read. */
export type PagePrograms = Runtime & { readonly followLog: FollowLog };

export interface RunningPageAgent extends AsyncDisposable {
  readonly device: string;
  readonly core: AgentCore;
  readonly images: PageImageStore;
  /** What the page knows of its Installs. */
  readonly installs: () => readonly InstallRecord[];
  /** Who the page is, with its newest certificate. */
  readonly identity: () => PageIdentity;
  readonly session: KeptSession;
  /** Carries requests to a service of the control plane, as this device. */
  readonly send: (service: ControlPlaneService, streamClass: StreamClass) => SendHttp;
}

/**
 * Starts the agent of a page that has joined: the core that other devices have, over a WebSocket and the
 * page's storage. Throws `not_joined`, `agent_running`, `storage_unavailable`.
 */
export async function startPageAgent(config: PageAgentConfig): Promise<RunningPageAgent> {
  const { server, storage, version, platform, clock = systemClock, rng = systemRng } = config;
  await using opened = new AsyncDisposableStack();
  opened.use(await holdPage(storage));
  const database = opened.use(await openPageDatabase(storage));
  const identity = await findPageIdentity(database);
  if (identity === undefined) {
    throw new TaplineError('not_joined', `the page's storage ${storage} has no device`, {
      hint: 'join with a token first',
    });
  }
  const { device } = identity;
  const log = config.log.with({ device });
  const key = await openPageKey(database);
  const endpoints = createGatewayEndpoints(server);
  const begun = Promise.withResolvers<KeptSession>();
  begun.promise.catch(() => undefined);
  opened.defer(() =>
    begun.reject(new TaplineError('gateway_unreachable', 'the agent is stopping')),
  );
  const keeper = opened.use(
    keepPageIdentity(identity, {
      database,
      key,
      endpoints,
      // The new certificate is shown by a new connection; streams go on over it.
      onRenewed: () => void begun.promise.then((session) => session.reconnect()),
      clock,
      rng,
      log,
    }),
  );

  function send(service: ControlPlaneService, streamClass: StreamClass): SendHttp {
    const host = serviceHost(service);
    return async (message) => {
      const session = await begun.promise;
      const stream = await session.openStream(service, { class: streamClass });
      return await sendOnStream(stream, { ...message, host });
    };
  }

  const fetching = send('registry', 'bulk');
  const trust = await openPageTrust({ database, send: fetching, log });
  const registry = createPageRegistry(fetching);
  const images = opened.use(createPageImageStore({ database, registry, trust }));
  const programs = config.programs?.(images);
  const runtime = opened.use(programs ?? noRuntime());
  const state = await openPageState(database, { onChange: config.onInstalls });
  const core = opened.use(
    await createAgentCore({
      device,
      installs: feedOverCalls(async () => await (await begun.promise).calls()),
      state,
      images,
      runtime,
      followLog: programs?.followLog ?? keepsNoLog,
      clock,
      rng,
      log,
    }),
  );
  const stored = await images.storage();
  const life = crypto.randomUUID();
  const dialling = dialWebSocket({
    async open(signal) {
      const about = { purpose: 'tunnel', signal } as const;
      const init = { endpoints, identity: keeper.current, key };
      const signed = await answerChallenge(about, init);
      const url = new URL(tunnelPath, server);
      url.protocol = server.protocol === 'https:' ? 'wss:' : 'ws:';
      return new WebSocket(url, [tunnelSubprotocol, encodeWebSocketIdentity(signed)]);
    },
    clock,
  });
  const dial: Dial = async (begin, signal) => {
    try {
      await dialling(begin, signal);
    } catch (error) {
      if (!signal.aborted) config.onRefused?.(error);
      throw error;
    }
  };
  const session = opened.use(
    keepSession({
      dial,
      host: server.host,
      report: () => ({
        agentVersion: version,
        platform,
        // A page has no boots: each of its lives is one.
        bootId: life,
        runtimes: runtime.name === 'none' ? [] : [runtime.name],
        storage: stored,
        certificateNotAfter: new Date(keeper.current.notAfter).toISOString(),
      }),
      service: core.service,
      onConnected(connection) {
        config.onConnected?.(connection);
        void trust.refresh();
      },
      onDisconnected: () => config.onDisconnected?.(),
      clock,
      rng,
      log,
      ...(config.baseBackoffMs === undefined ? {} : { baseBackoffMs: config.baseBackoffMs }),
      ...(config.maxBackoffMs === undefined ? {} : { maxBackoffMs: config.maxBackoffMs }),
    }),
  );
  begun.resolve(session);
  const running = opened.move();
  return {
    device,
    core,
    images,
    installs: () => state.records(),
    identity: () => keeper.current,
    session,
    send,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function keepsNoLog(): never {
  throw new TaplineError('nothing_runs', 'this page keeps no logs');
}
