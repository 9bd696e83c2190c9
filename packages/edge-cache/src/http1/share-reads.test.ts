import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { shareReads } from './share-reads.ts';

/** Echoes through sockets that share a buffer of eight bytes. */
async function startEcho(): Promise<{
  readonly port: number;
  readonly close: () => Promise<void>;
}> {
  const buffer = Buffer.alloc(8);
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (accepted) => {
    const socket: Socket | undefined = shareReads(accepted, {
      buffer,
      onBytes: (bytes) => socket?.write(Buffer.from(bytes)),
    });
    socket?.on('error', () => socket.destroy());
    socket?.on('end', () => socket.end());
    if (socket === undefined) accepted.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

test('this Node has what sharing needs: each gets its own bytes, and the server ends with them', async () => {
  const { port, close } = await startEcho();
  const echoes = Array.from({ length: 20 }, async (_, index) => {
    const socket = connect(port, '127.0.0.1');
    const text = String(index).repeat(500);
    let got = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (got += chunk));
    socket.end(text);
    await once(socket, 'close');
    return got === text;
  });
  expect(await Promise.all(echoes)).toEqual(echoes.map(() => true));
  // Resolves only when no connection is left to count.
  await close();
});

test('a socket without a handle, and one with another kind, are left as they are', () => {
  const options = { buffer: Buffer.alloc(8), onBytes: () => undefined };
  const socket = new Socket();
  for (const handle of [null, { reading: false }]) {
    Reflect.set(socket, '_handle', handle);
    expect(shareReads(socket, options)).toBeUndefined();
    expect(Reflect.get(socket, '_handle')).toBe(handle);
  }
  Reflect.set(socket, '_handle', null);
  socket.destroy();
});
