import type { BenchMux, StreamUse } from '../bench-mux.ts';
import { duplexStream } from '../duplex-stream.ts';

const uses: readonly StreamUse[] = ['echo', 'bulk', 'sink'];

/** A TLS connection as it is, for one stream: its first byte says what for. */
export const rawTls: BenchMux = {
  name: 'raw TLS',
  serve(socket, accept) {
    socket.once('data', (first: Buffer) => {
      const use = uses[first[0] ?? 0];
      if (use === undefined) {
        socket.destroy();
        return;
      }
      accept(use, duplexStream(socket));
      if (first.length > 1) socket.unshift(first.subarray(1));
    });
  },
  connect: (socket) =>
    Promise.resolve({
      open(use) {
        socket.write(Uint8Array.of(uses.indexOf(use)));
        return Promise.resolve(duplexStream(socket));
      },
    }),
};
