import type { PeerCertificate } from 'node:tls';
import type { ResourceClient } from '@tapline/client';
import { CloseCode, type Session as Tunnel, type TunnelStream } from '@tapline/tunnel';
import type { DeviceSessions, Session } from './device-sessions.ts';
import type { CallingDevice } from './rpc/calling-device.ts';
import { createGatewayCallServer } from './rpc/create-gateway-call-server.ts';
import { createGatewayService } from './rpc/create-gateway-service.ts';
import type { Peer } from './tunnel-peers.ts';

/** Serves what devices call of their gateway, each as the device that its tunnel is of. */
export interface DeviceCallsServed {
  serve(
    stream: TunnelStream,
    from: {
      readonly tunnel: Tunnel;
      readonly peer: Peer;
      /** Undefined until the device has said hello. */
      readonly session: () => Session | undefined;
    },
  ): void;
}

export function serveDeviceCalls(init: {
  readonly sessions: Pick<DeviceSessions, 'newest'>;
  /** Of who shows this certificate. Throws `unauthorized` where its time is over. */
  readonly clientOf: (certificate: PeerCertificate) => ResourceClient;
}): DeviceCallsServed {
  const { sessions, clientOf } = init;
  const calls = createGatewayCallServer(createGatewayService());
  const devices = new WeakMap<Tunnel, CallingDevice>();
  return {
    serve(stream, { tunnel, peer, session }) {
      if (session() === undefined) {
        // Not Refused: that is how a gateway without calls answers, and this one serves them in a moment.
        return stream.reset(CloseCode.Unauthorized, 'a call came before the hello of its session');
      }
      const { name } = peer;
      const device = devices.get(tunnel) ?? {
        name,
        // And not its newest: one that was made before a change of networks comes after it.
        leastEpoch: () => session()?.firstEpoch ?? Number.POSITIVE_INFINITY,
        isNewest: () => sessions.newest(name) === session(),
        // With each call: a certificate may have been renewed, or its time be over.
        client: () => clientOf(peer.shown.certificate),
      };
      devices.set(tunnel, device);
      void calls.serve(stream, device);
    },
  };
}
