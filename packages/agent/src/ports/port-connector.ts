import type { Socket } from 'node:net';
import { isRecord, systemClock } from '@tapline/base';
import { carryConnection } from './carry-connection.ts';
import { probePort } from './probe-port.ts';

/**
 * The part of a port's holder that is in another network: it gets accepted connections from the holder,
 * and carries each to a port of the network that it was started in. It ends with the holder, or when
 * its last connection has ended after it was let go.
 */
export function startPortConnector(): void {
  // Of what it was started with it needs nothing any more.
  if (process.getuid?.() === 0) {
    process.setgroups?.([]);
    process.setgid?.(65_534);
    process.setuid?.(65_534);
  }
  let open = 0;
  let isLetGo = false;
  process.on('message', (message, socket) => {
    if (message === 'let-go') {
      isLetGo = true;
      endIfDone();
      return;
    }
    if (isRecord(message)) {
      const { probe, port, path } = message;
      const asked = { path: typeof path === 'string' ? path : undefined, clock: systemClock };
      void probePort(Number(port), asked).then((probed) => process.send?.({ probe, ...probed }));
      return;
    }
    const port = Number(message);
    if (socket === undefined) return;
    open += 1;
    void carryConnection(socket as Socket, port, { clock: systemClock }).finally(() => {
      open -= 1;
      process.send?.('closed');
      endIfDone();
    });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');

  function endIfDone(): void {
    if (isLetGo && open === 0) process.disconnect?.();
  }
}
