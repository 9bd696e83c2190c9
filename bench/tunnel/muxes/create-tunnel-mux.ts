import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '@tapline/base';
import {
  BufferPool,
  defaultLimits,
  Session,
  TunnelServer,
  type TunnelStream,
} from '@tapline/tunnel';
import type { BenchMux, BenchStream, StreamUse } from '../bench-mux.ts';
import { driveSession } from '../drive-session.ts';

/** The tunnel of the product. One server for all connections: a session may come back in another. */
export function createTunnelMux(): BenchMux {
  let server: TunnelServer | undefined;
  return { name: 'tapline', serve, connect };

  function serve(socket: TLSSocket, accept: (use: StreamUse, stream: BenchStream) => void): void {
    server ??= new TunnelServer({
      clock: systemClock,
      limits: defaultLimits,
      pool: new BufferPool(),
      newToken: () => randomBytes(32),
      onSession: (session) =>
        session.onStream((stream) => {
          accept(stream.opening.name as StreamUse, tunnelStream(stream));
        }),
    });
    const current = server;
    driveSession(socket, (transport) => current.accept(transport, 'bench'));
  }

  async function connect(socket: TLSSocket): ReturnType<BenchMux['connect']> {
    const session = new Session({
      role: 'client',
      clock: systemClock,
      limits: defaultLimits,
      pool: new BufferPool(),
    });
    const ready = new Promise<void>((resolve) => session.onConnection(() => resolve()));
    driveSession(socket, (transport) => session.connect(transport));
    await ready;
    return {
      open(use) {
        const kind = use === 'bulk' ? 'bulk' : 'control';
        return Promise.resolve(tunnelStream(session.open({ class: kind, name: use })));
      },
    };
  }
}

function tunnelStream(stream: TunnelStream): BenchStream {
  return {
    write: (bytes) => stream.write(bytes),
    writable: () => stream.writable(),
    onData(take) {
      void (async () => {
        for await (const bytes of stream) take(bytes);
      })().catch(() => undefined);
    },
  };
}
