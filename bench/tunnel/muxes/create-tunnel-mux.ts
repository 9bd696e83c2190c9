import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '@tapline/base';
import { carryOnSocket } from '@tapline/gateway';
import {
  BufferPool,
  defaultLimits,
  Session,
  TunnelServer,
  type TunnelStream,
} from '@tapline/tunnel';
import type { BenchClient, BenchMux, BenchStream, StreamUse } from '../bench-mux.ts';

/** The tunnel of the product. One server for all connections: a session may come back in another. */
export function createTunnelMux(): BenchMux {
  const accepting: { take?: (use: StreamUse, stream: BenchStream) => void } = {};
  const server = new TunnelServer({
    clock: systemClock,
    limits: defaultLimits,
    pool: new BufferPool(),
    newToken: () => randomBytes(32),
    onSession: (session) =>
      session.onStream((stream) => {
        accepting.take?.(stream.opening.name as StreamUse, tunnelStream(stream));
      }),
  });
  return {
    name: 'tapline',
    connect,
    serve(socket, accept) {
      accepting.take = accept;
      void carryOnSocket(socket, {
        begin: (transport) => server.accept(transport, 'bench'),
        clock: systemClock,
      });
    },
  };
}

async function connect(socket: TLSSocket): Promise<BenchClient> {
  const session = new Session({
    role: 'client',
    clock: systemClock,
    limits: defaultLimits,
    pool: new BufferPool(),
  });
  const ready = new Promise<void>((resolve) => session.onConnection(() => resolve()));
  void carryOnSocket(socket, {
    begin: (transport) => session.connect(transport),
    clock: systemClock,
  });
  await ready;
  return {
    open(use) {
      const kind = use === 'bulk' ? 'bulk' : 'control';
      return Promise.resolve(tunnelStream(session.open({ class: kind, name: use })));
    },
  };
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
