import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { frameStream, streamFrame } from '@tapline/segments';
import type { FrameProbe, SeenFrame } from './frame-probe.ts';

/** A frame probe whose ports are sockets, to each of which it is attached as a machine's device is. */
export async function startSocketProbe(paths: readonly string[]): Promise<FrameProbe> {
  let seen: SeenFrame[] = [];
  let lastAt = performance.now();
  const sockets: Socket[] = [];
  for (const [port, path] of paths.entries()) {
    const socket = connect(path);
    await once(socket, 'connect');
    const stream = frameStream((bytes, { start, end }) => {
      lastAt = performance.now();
      seen.push({ port, frame: Buffer.from(bytes.subarray(start, end)) });
    });
    socket.on('data', (chunk: Buffer) => stream.push(chunk));
    socket.on('error', () => socket.destroy());
    sockets.push(socket);
  }
  return {
    send(port, frame) {
      sockets[port]?.write(streamFrame(frame, { start: 0, end: frame.length }));
      lastAt = performance.now();
    },
    async settle(quietMs = 250) {
      lastAt = performance.now();
      while (performance.now() - lastAt < quietMs) await delay(quietMs / 5);
      const all = seen;
      seen = [];
      return all;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await delay(0);
    },
  };
}
