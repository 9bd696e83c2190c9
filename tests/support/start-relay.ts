import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A path to a server that breaks when it is told to. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Breaks all connections of now, and lets new ones through. */
  cut(): void;
  /** Breaks them once so many further bytes have come from the server. */
  cutAfter(bytes: number): void;
}

export async function startRelay(to: { readonly port: number }): Promise<Relay> {
  const sockets = new Set<Socket>();
  let bytesLeft = Number.POSITIVE_INFINITY;

  function cut(): void {
    bytesLeft = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.destroy();
  }

  const server = createServer((from) => {
    const far = connect(to.port, '127.0.0.1');
    for (const [socket, other] of [
      [from, far],
      [far, from],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        sockets.delete(socket);
      });
    }
    far.on('data', (chunk: Buffer) => {
      bytesLeft -= chunk.length;
      if (bytesLeft <= 0) cut();
    });
    from.pipe(far).pipe(from);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    cutAfter: (bytes) => void (bytesLeft = bytes),
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
