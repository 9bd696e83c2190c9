import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { startProcess } from '@tapline/testing';

/** A way from this process into another network namespace: a port here, a socket, a program there. */
export async function openDoor(
  machine: { readonly namespace: string; readonly underlay: string; readonly port: number },
  folder: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const path = join(folder, 'door');
  const script = `
    const { connect, createServer } = require('node:net');
    createServer((from) => {
      const to = connect(${machine.port}, ${JSON.stringify(machine.underlay)});
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => from.destroy()).on('close', () => from.destroy());
      from.pipe(to).pipe(from);
    }).listen(${JSON.stringify(path)}, () => console.log('open'));`;
  await using opened = new AsyncDisposableStack();
  const words = [`--net=/run/netns/${machine.namespace}`, process.execPath, '-e', script];
  opened.use(await startProcess('nsenter', words, { readyLine: /open/ }));
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(path);
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const owned = opened.move();
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
