import { once } from 'node:events';
import { connect } from 'node:tls';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import { carryOnSocket } from '@tapline/gateway';
import { BufferPool, defaultLimits, keepTunnel } from '@tapline/tunnel';

/** `node idle-clients.ts PORT COUNT`: tunnels that do nothing, and come back when they are cut. */
const [port = '', count = ''] = process.argv.slice(2);
const pool = new BufferPool();
const atOnce = 32;

for (let at = 0; at < Number(count); at += 1) {
  const opened = Promise.withResolvers<undefined>();
  keepTunnel({
    async dial(begin) {
      const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const ended = carryOnSocket(socket, { begin, clock: systemClock });
      opened.resolve(undefined);
      await ended;
    },
    onSession: () => undefined,
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
    limits: defaultLimits,
    pool,
  });
  if (at % atOnce === 0) await opened.promise;
}
