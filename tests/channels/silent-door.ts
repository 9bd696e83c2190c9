import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a port that can fall silent: connections stay open, and nothing more comes of them. */
export interface SilentDoor extends AsyncDisposable {
  /** As when a machine loses its power or its network: no word of an end, and no answer to anybody. */
  fallSilent(): void;
}

export async function openSilentDoor(from: number, to: number): Promise<SilentDoor> {
  const sockets = new Set<Socket>();
  let silent = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    keep(socket);
    if (silent) return;
    const inside = keep(connect({ host: '127.0.0.1', port: to, allowHalfOpen: true }));
    socket.pipe(inside);
    inside.pipe(socket);
    socket.once('close', () => inside.destroy());
    inside.once('close', () => {
      if (!silent) socket.destroy();
    });
  });
  server.listen(from, '127.0.0.1');
  await once(server, 'listening');
  return {
    fallSilent() {
      silent = true;
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
