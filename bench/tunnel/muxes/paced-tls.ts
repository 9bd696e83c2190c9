import type { TLSSocket } from 'node:tls';
import type { BenchMux, BenchStream, StreamUse } from '../bench-mux.ts';

const uses: readonly StreamUse[] = ['echo', 'bulk', 'sink'];
const headerBytes = 4;
/** No more at once, however late a timer comes. */
const mostCatchUpMs = 5;
const pieceBytes = 4096;

/**
 * What the machine itself costs: blobs in one TLS connection, no faster than TAPLINE_BENCH_PACE says (Mbit/s),
 * which is what its user knows of the path. So there is no queue, and a ping waits for nothing but the machine.
 */
export const pacedTls: BenchMux = {
  name: 'paced TLS',
  serve(socket, accept) {
    const streams = framed(socket);
    for (const use of uses) accept(use, use === 'bulk' ? paced(streams(use)) : streams(use));
  },
  connect(socket) {
    const streams = framed(socket);
    return Promise.resolve({ open: (use) => Promise.resolve(streams(use)) });
  },
};

/** Pieces of each use, with what they are for and how long they are before them. */
function framed(socket: TLSSocket): (use: StreamUse) => BenchStream {
  const takers = new Map<number, (bytes: Uint8Array) => void>();
  let taker: ((bytes: Uint8Array) => void) | undefined;
  const header = Buffer.alloc(headerBytes);
  let filled = 0;
  let missing = 0;
  socket.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length;) {
      if (missing === 0) {
        header[filled] = bytes[at] ?? 0;
        filled += 1;
        at += 1;
        if (filled < headerBytes) continue;
        filled = 0;
        taker = takers.get(header[0] ?? 0);
        missing = header.readUIntBE(1, headerBytes - 1);
        continue;
      }
      const end = Math.min(bytes.length, at + missing);
      taker?.(bytes.subarray(at, end));
      missing -= end - at;
      at = end;
    }
  });
  return (use) => ({
    write(bytes) {
      const begin = Buffer.alloc(headerBytes, uses.indexOf(use));
      begin.writeUIntBE(bytes.length, 1, headerBytes - 1);
      socket.cork();
      socket.write(begin);
      const hasRoom = socket.write(bytes);
      process.nextTick(() => socket.uncork());
      return hasRoom;
    },
    writable: () => Promise.resolve(),
    onData: (take) => void takers.set(uses.indexOf(use), take),
  });
}

/** Blobs at the rate it was told, whatever is written. */
function paced(stream: BenchStream): BenchStream {
  const { TAPLINE_BENCH_PACE: pace = '' } = process.env;
  const bytesPerMs = Number(pace) * 125;
  if (!(bytesPerMs > 0)) throw new Error('TAPLINE_BENCH_PACE has to be a rate in Mbit/s');
  let fromMs = performance.now();
  const piece = new Uint8Array(pieceBytes);
  setInterval(() => {
    const nowMs = performance.now();
    fromMs = Math.max(fromMs, nowMs - mostCatchUpMs);
    for (; fromMs < nowMs; fromMs += pieceBytes / bytesPerMs) stream.write(piece);
  }, 1);
  const { promise } = Promise.withResolvers<undefined>();
  return { ...stream, write: () => false, writable: () => promise };
}
