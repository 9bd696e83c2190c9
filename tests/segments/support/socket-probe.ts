import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { frameStream, streamFrame } from '@tapline/segments';
import type { FrameProbe, SeenFrame } from './frame-probe.ts';

/** The port's owner may not have seen yet that who was attached before is gone. */
export async function attachTo(path: string): Promise<Socket> {
  for (let attempt = 0; ; attempt += 1) {
    const socket = connect(path);
    socket.on('error', () => socket.destroy());
    await once(socket, 'connect');
    // Who is refused is told at once: by the end of what is read.
    socket.resume();
    await delay(20);
    if (!socket.closed && !socket.readableEnded) {
      socket.pause();
      return socket;
    }
    if (attempt > 200) throw new Error(`${path} takes nobody`);
  }
}

/** A frame probe whose ports are sockets, to each of which it is attached as a machine's device is. */
export async function startSocketProbe(paths: readonly string[]): Promise<FrameProbe> {
  let seen: SeenFrame[] = [];
  let lastAt = performance.now();
  const sockets: Socket[] = [];
  for (const [port, path] of paths.entries()) {
    const socket = await attachTo(path);
    const stream = frameStream((bytes, { start, end }) => {
      lastAt = performance.now();
      seen.push({ port, frame: Buffer.from(bytes.subarray(start, end)) });
    });
    socket.on('data', (chunk: Buffer) => stream.push(chunk)).resume();
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
