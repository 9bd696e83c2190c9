import type { Transport, TransportEvents } from '@tapline/tunnel';
import type { RawData, WebSocket } from 'ws';
import { messageBytes } from '../message-bytes.ts';

/** Carries a session on an open WebSocket. Resolves when it has ended. */
export function carryOnWebSocket(
  socket: WebSocket,
  begin: (transport: Transport) => TransportEvents,
): Promise<void> {
  const events = begin({
    write(bytes) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(bytes, { binary: true }, (error) => {
        if (error === undefined || error === null) events.drained();
      });
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    // Its own handshake has a time limit, after which it is cut.
    close: () => socket.close(),
  });
  return new Promise((resolve) => {
    let failure: unknown;
    socket.on('error', (error) => (failure = error));
    socket.on('message', (data: RawData) => events.receive(messageBytes(data)));
    socket.once('close', () => {
      events.closed(failure);
      resolve();
    });
  });
}
