import type { Duplex } from 'node:stream';
import type { Clock, Rng } from '@tapline/base';
import { createHttpClient } from '@tapline/client';
import { type ControlPlaneService, serviceHost, type Session, TunnelAgent } from '@tapline/gateway';
import { createHttpTransport, createRegistryClient, type HttpTransport } from '@tapline/registry';
import type { StreamClass } from '@tapline/tunnel';
import { createRenewable, renewableClient } from './renewable-client.ts';

const apiUrl = `http://${serviceHost('api')}`;
export const registryUrl: string = `http://${serviceHost('registry')}`;
/** Layers come a few at a time; more would only share the same path. */
const registryConnections = 8;

/** Connections to the control plane within the tunnel. */
export interface Connections extends AsyncDisposable {
  /** Opens them anew. */
  readonly renew: () => Promise<void>;
  readonly client: ReturnType<typeof renewableClient>;
  readonly registry: () => ReturnType<typeof createRegistryClient>;
  readonly transport: () => HttpTransport;
  /** Of what is measured: behind everything else. */
  readonly telemetry: () => HttpTransport;
}

/** They are opened when they are first used; `session` may come later. */
export function openConnections(init: {
  readonly version: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly session: Promise<Session>;
}): Connections {
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
