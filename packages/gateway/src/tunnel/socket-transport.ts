import type { Duplex } from 'node:stream';
import type { Clock } from '@tapline/base';
import type { Transport, TransportEvents } from '@tapline/tunnel';

/** How long what was written last may take to go when a connection is given up. */
const lingerMs = 2000;

/**
 * Carries a session on a connected byte stream, as a TLS socket. Resolves when it has ended. `head` is
 * what was read of it before.
 */
export function carryOnSocket(
  socket: Duplex,
  init: {
    readonly begin: (transport: Transport) => TransportEvents;
    readonly clock: Clock;
    readonly head?: Uint8Array;
  },
): Promise<void> {
  const { begin, clock, head } = init;
  let corked = false;
  let closing = false;
  // Only while it is being closed: a gateway has many that never are.
  let lingering: AbortController | undefined;

  function uncork(): void {
    if (!corked) return;
    corked = false;
    socket.uncork();
  }

  async function close(): Promise<void> {
    if (closing) return;
    closing = true;
    if (socket.destroyed) return;
    uncork();
    socket.end(() => socket.destroy());
    lingering = new AbortController();
    try {
      await clock.sleep(lingerMs, { signal: lingering.signal });
    } catch {
      // It has ended.
      return;
    }
    socket.destroy();
  }

  const transport: Transport = {
    write(bytes) {
      if (closing || socket.destroyed) return;
      // What is written in one turn goes as one, without waiting for it.
      if (!corked) {
        corked = true;
        socket.cork();
        process.nextTick(uncork);
      }
      socket.write(bytes, onWritten);
    },
    get bufferedBytes() {
      return socket.writableLength;
    },
    close: () => void close(),
  };
  const events = begin(transport);

  function onWritten(error?: Error | null): void {
    if (error === undefined || error === null) events.drained();
  }

  return new Promise((resolve) => {
    let failure: unknown;
    socket.on('error', (error) => (failure = error));
    socket.on('end', () => socket.destroy());
    socket.once('close', () => {
      lingering?.abort('closed');
      events.closed(failure);
      resolve();
    });
    socket.on('data', (bytes: Uint8Array) => events.receive(bytes));
    if (head !== undefined && head.length > 0) events.receive(head);
  });
}
