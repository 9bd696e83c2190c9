import type { TLSSocket } from 'node:tls';
import type { Transport, TransportEvents } from '@tapline/tunnel';

/** Ties a socket to a session: what is written in one turn goes as one. */
export function driveSession(
  socket: TLSSocket,
  begin: (transport: Transport) => TransportEvents,
): void {
  socket.setNoDelay(true);
  let corked = false;
  const events = begin({
    write(bytes) {
      if (socket.destroyed) return;
      if (!corked) {
        corked = true;
        socket.cork();
        process.nextTick(() => {
          corked = false;
          socket.uncork();
        });
      }
      socket.write(bytes, (error) => {
        if (error === undefined || error === null) events.drained();
      });
    },
    get bufferedBytes() {
      return socket.writableLength;
    },
    close: () => socket.destroySoon(),
  });
  socket.on('data', (bytes: Buffer) => events.receive(bytes));
  socket.on('error', () => undefined);
  socket.on('close', () => events.closed());
}
