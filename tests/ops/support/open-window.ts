import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { startProcess } from '@tapline/testing';

/** A way out of a network namespace: a port on its loopback, a socket, and a port here. */
export async function openWindow(
  from: { readonly namespace: string; readonly port: number },
  to: { readonly port: number; readonly folder: string },
): Promise<AsyncDisposable> {
  const path = join(to.folder, 'window');
  await using opened = new AsyncDisposableStack();
  const server = createServer((socket) => {
    const out = connect(to.port, '127.0.0.1');
    socket.on('error', () => out.destroy()).on('close', () => out.destroy());
    out.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.pipe(out).pipe(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  opened.defer(() => void server.close());
  const script = `
    const { connect, createServer } = require('node:net');
    createServer((from) => {
      const to = connect(${JSON.stringify(path)});
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => from.destroy()).on('close', () => from.destroy());
      from.pipe(to).pipe(from);
    }).listen(${from.port}, '127.0.0.1', () => console.log('open'));`;
  const words = [`--net=/run/netns/${from.namespace}`, process.execPath, '-e', script];
  opened.use(await startProcess('nsenter', words, { readyLine: /open/ }));
  const owned = opened.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
