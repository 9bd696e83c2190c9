import { connect, performServerHandshake } from 'node:http2';
import type { BenchMux } from '../bench-mux.ts';
import { duplexStream } from '../duplex-stream.ts';

// Node's default of 64 KiB for a whole session would be the limit, not the path.
const windowBytes = 8 * 2 ** 20;

export const http2Mux: BenchMux = {
  name: 'node:http2',
  serve(socket, accept) {
    const session = performServerHandshake(socket, {
      settings: { initialWindowSize: windowBytes },
    });
    session.on('error', () => socket.destroy());
    session.on('connect', () => session.setLocalWindowSize(windowBytes));
    session.on('stream', (stream, headers) => {
      const use = String(headers[':path']).slice(1);
      stream.respond({ ':status': 200 });
      if (use === 'echo' || use === 'bulk' || use === 'sink') accept(use, duplexStream(stream));
    });
  },
  async connect(socket) {
    const session = connect('https://bench', {
      createConnection: () => socket,
      settings: { initialWindowSize: windowBytes },
    });
    session.on('error', () => socket.destroy());
    await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
    session.setLocalWindowSize(windowBytes);
    return {
      async open(use) {
        const stream = session.request(
          { ':method': 'POST', ':path': `/${use}` },
          { endStream: false },
        );
        await new Promise<void>((resolve) => stream.once('response', () => resolve()));
        return duplexStream(stream);
      },
    };
  },
};
