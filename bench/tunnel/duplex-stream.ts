import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { BenchStream } from './bench-mux.ts';

/** Node's own streams: sockets, streams of HTTP/2. */
export function duplexStream(duplex: Duplex): BenchStream {
  duplex.on('error', () => duplex.destroy());
  return {
    write: (bytes) => duplex.write(bytes),
    async writable() {
      if (duplex.writableNeedDrain) await once(duplex, 'drain');
    },
    onData: (take) => void duplex.on('data', take),
  };
}
