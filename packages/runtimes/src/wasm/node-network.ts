import type { HostConnection, HostNetwork } from '@tapline/userland';
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';

/** Guests reach what this process reaches. */
export const nodeNetwork: HostNetwork = {
  connect: ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        // What breaks later ends the stream that is read.
        socket.on('error', () => {});
        resolve(connectionOf(socket));
      });
    }),
  resolve: async (name) => {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  },
};

function connectionOf(socket: Socket): HostConnection {
  return {
    input: socket.iterator({ destroyOnReturn: false }),
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    end: () => void socket.end(),
    close: () => void socket.destroy(),
  };
}
