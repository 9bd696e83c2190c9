import { readFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { BenchStream, StreamUse } from './bench-mux.ts';
import { duplexStream } from './duplex-stream.ts';
import { loadMux } from './load-mux.ts';

/** `node serve.ts MUX HOST PORT CERTIFICATE`: the end that sends blobs; `plain` is without TLS. */
const [name = '', host = '', port = '', file = ''] = process.argv.slice(2);
const blob = Buffer.alloc(64 * 1024, 7);

function take(use: StreamUse, stream: BenchStream): void {
  if (use === 'echo') stream.onData((bytes) => void stream.write(Uint8Array.from(bytes)));
  else if (use === 'bulk') void send(stream).catch(() => undefined);
  else stream.onData(() => undefined);
}

/** Blobs of 64 MB, one after another without end. */
async function send(stream: BenchStream): Promise<never> {
  stream.onData(() => undefined);
  for (;;) if (!stream.write(blob)) await stream.writable();
}

if (name === 'plain') {
  // Of ssh: one port an use, each forwarded in a channel of its own.
  for (const [at, use] of (['echo', 'bulk', 'sink'] as const).entries()) {
    createTcpServer((socket) => {
      socket.setNoDelay(true);
      take(use, duplexStream(socket));
    }).listen(Number(port) + at, host);
  }
} else {
  const mux = await loadMux(name);
  const pem = readFileSync(file, 'utf8');
  const server = createServer(
    { key: pem, cert: pem, minVersion: 'TLSv1.3' },
    (socket: TLSSocket) => {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      mux.serve(socket, take);
    },
  );
  server.listen(Number(port), host);
}
process.stdout.write('ready\n');
