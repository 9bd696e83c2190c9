import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { startProcess } from '@tapline/testing';

/**
 * A way from another network namespace into this process's: the same loopback port there, a socket,
 * the port here.
 */
export async function openInwardDoor(
  namespace: string,
  { port, folder }: { readonly port: number; readonly folder: string },
): Promise<AsyncDisposable> {
  const path = join(folder, 'inward-door');
  await using opened = new AsyncDisposableStack();
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        sockets.delete(socket);
      });
    }
    from.pipe(to).pipe(from);
  });
  server.listen(path);
  await once(server, 'listening');
  opened.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const script = `
    const { connect, createServer } = require('node:net');
    createServer((from) => {
      const to = connect(${JSON.stringify(path)});
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => from.destroy()).on('close', () => from.destroy());
      from.pipe(to).pipe(from);
    }).listen(${port}, '127.0.0.1', () => console.log('open'));`;
  const words = [`--net=/run/netns/${namespace}`, process.execPath, '-e', script];
  opened.use(await startProcess('nsenter', words, { readyLine: /open/ }));
  const owned = opened.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
