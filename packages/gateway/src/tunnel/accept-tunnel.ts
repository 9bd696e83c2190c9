import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, TaplineError } from '@tapline/base';
import {
  type Transport,
  type TransportEvents,
  type TunnelServer,
  tunnelSubprotocol,
} from '@tapline/tunnel';
import { WebSocketServer } from 'ws';
import { carryOnSocket } from './socket-transport.ts';
import { maxTunnelMessageBytes, tunnelUpgrade } from './tunnel-path.ts';
import { carryOnWebSocket } from './ws-transport.ts';

/** An upgrade as Node's server hands it over. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Makes tunnels of upgrades, by either carrier. */
export interface TunnelAcceptor extends Disposable {
  /** Takes the upgrade of `principal`, who has been authenticated. Throws `bad_request`. */
  accept(upgrade: Upgrade, principal: string): void;
  /** Says no in a way that a browser can hear: it shows pages only how a WebSocket that was open closes. */
  refuseWebSocket(
    upgrade: Upgrade,
    answer: {
      readonly status: number;
      readonly code: string;
      readonly retryAfterMs?: number | undefined;
    },
  ): void;
}

/** Close codes of WebSockets from 4000 on are the application's: these are HTTP's statuses. */
const firstApplicationCode = 4000;

export function createTunnelAcceptor(init: {
  readonly server: TunnelServer;
  readonly clock: Clock;
}): TunnelAcceptor {
  const { server, clock } = init;
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxTunnelMessageBytes,
    // The bytes are compressed images and small messages; a compressor would hold 300 KB each.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(tunnelSubprotocol) ? tunnelSubprotocol : false),
  });

  return {
    accept({ request, socket, head }, principal) {
      const take = (transport: Transport): TransportEvents => server.accept(transport, principal);
      if (socket instanceof Socket) socket.setNoDelay(true);
      const kind = request.headers.upgrade?.toLowerCase();
      if (kind === 'websocket') {
        webSockets.handleUpgrade(request, socket, head, (opened) => {
          void carryOnWebSocket(opened, take);
        });
        return;
      }
      if (kind !== tunnelUpgrade) {
        throw new TaplineError(
          'bad_request',
          `an upgrade to ${kind ?? 'nothing'} is neither to ${tunnelUpgrade} nor to websocket`,
        );
      }
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${tunnelUpgrade}\r\n\r\n`,
      );
      void carryOnSocket(socket, { begin: take, clock, head });
    },
    refuseWebSocket({ request, socket, head }, { status, code, retryAfterMs }) {
      const reason = retryAfterMs === undefined ? code : `${code} ${retryAfterMs}`;
      webSockets.handleUpgrade(request, socket, head, (opened) => {
        opened.on('error', () => opened.terminate());
        opened.close(firstApplicationCode + status, reason);
      });
    },
    [Symbol.dispose]() {
      webSockets.close();
    },
  };
}
