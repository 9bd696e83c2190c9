import { once } from 'node:events';
import { connect } from 'node:tls';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import { dialTunnel } from '@tapline/gateway';
import { BufferPool, defaultLimits, keepTunnel, type Session } from '@tapline/tunnel';

/**
 * `node fleet-clients.ts tunnels|sockets PORT FIRST COUNT`: connections that do nothing; tunnels come back
 * when they are cut, as a device's do. TAPLINE_BENCH_CA is whom they trust.
 */
const [kind = '', port = '', first = '', count = ''] = process.argv.slice(2);
const { TAPLINE_BENCH_CA: ca = '' } = process.env;
const pool = new BufferPool();
const atOnce = 32;

async function openSocket(): Promise<void> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  socket.resume();
}

async function openTunnel(number: number): Promise<void> {
  const connected = Promise.withResolvers<undefined>();
  keepTunnel({
    dial: dialTunnel({
      server: new URL(`https://127.0.0.1:${port}`),
      tls: () => ({ ca }),
      headers: { 'x-device': `d${number}` },
      clock: systemClock,
    }),
    onSession: (session: Session) => session.onConnection(() => connected.resolve(undefined)),
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
    limits: defaultLimits,
    pool,
  });
  await connected.promise;
}

let next = Number(first);
const end = next + Number(count);
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    while (next < end) {
      next += 1;
      await (kind === 'tunnels' ? openTunnel(next) : openSocket());
    }
  }),
);
