import type { Duplex } from 'node:stream';
import type { StreamClass } from '@tapline/tunnel';
import type { ConnectionOwner, ControlPlaneService } from './control-plane-service.ts';
import { keepSession, type KeepSessionInit, type KeptSession } from './keep-session.ts';
import type { ClientTls } from './post-json.ts';
import { dialTunnel } from './tunnel/dial-tunnel.ts';
import { ownAddresses } from './tunnel/watch-own-address.ts';
import { TunnelSocket } from './tunnel/tunnel-socket.ts';

/** A device's end of its tunnel, over TLS. */
export interface Session extends Omit<KeptSession, 'openStream'> {
  /**
   * A connection to a service of the control plane, the device's own unless a guest's. Throws `gateway_unreachable` where there is no
   * tunnel, and none within a moment.
   */
  openHttp(
    service: ControlPlaneService,
    options: { readonly class: StreamClass; readonly owner?: ConnectionOwner },
  ): Promise<Duplex>;
}

export interface SessionInit extends Omit<KeepSessionInit, 'dial' | 'host'> {
  readonly server: URL;
  /** Asked for at each connection: a certificate may have been renewed. */
  readonly tls: () => ClientTls;
}

export function connectSession(init: SessionInit): Session {
  const { server, tls, clock } = init;
  const session = keepSession({
    ...init,
    dial: dialTunnel({ server, tls, addresses: ownAddresses, clock }),
    host: server.host,
  });
  return {
    get epoch() {
      return session.epoch;
    },
    refresh: () => session.refresh(),
    reconnect: () => session.reconnect(),
    calls: () => session.calls(),
    openHttp: async (service, options) =>
      new TunnelSocket(await session.openStream(service, options)),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
