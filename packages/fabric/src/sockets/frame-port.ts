import { once } from 'node:events';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { TaplineError } from '@tapline/base';
import { type ByteRange, frameStream, streamFrame } from '@tapline/segments';

/** What a machine that is attached has to say of itself; everything else is dropped. */
export interface FramePortFacts {
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly mtu: number;
}

/** A port whose frames go through a Unix socket, in the framing of QEMU's `-netdev stream`. */
export interface FramePort extends AsyncDisposable {
  readonly path: string;
  /** False where nobody is attached, or does not read. */
  send(bytes: Uint8Array, range: ByteRange): boolean;
}

/** Frames that wait for a machine that does not read: what is beyond is dropped, as by any port. */
const mostWaiting = 1024 * 1024;
/** struct sockaddr_un of macOS; Linux has four more. */
const longestPath = 103;

/**
 * Listens at `path`, which only its owner may use, and says beside it in a file of JSON what a machine
 * there has to be. One machine at a time: who comes second is refused.
 */
export async function openFramePort(options: {
  readonly path: string;
  readonly facts: FramePortFacts;
  readonly onFrame: (bytes: Uint8Array, range: ByteRange) => void;
}): Promise<FramePort> {
  const { path, facts, onFrame } = options;
  if (Buffer.byteLength(path) > longestPath) {
    throw new TaplineError(
      'socket_path_too_long',
      `${path} has ${Buffer.byteLength(path)} bytes; a socket's path has at most ${longestPath}`,
      { hint: 'give the agent a shorter --data' },
    );
  }
  let attached: Socket | undefined;
  const server: Server = createServer((socket) => {
    if (attached !== undefined) {
      socket.destroy();
      return;
    }
    attached = socket;
    const stream = frameStream(onFrame);
    socket.on('data', (chunk: Buffer) => {
      try {
        stream.push(chunk);
      } catch {
        // What follows a wrong length means nothing: it has to begin anew.
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      if (attached === socket) attached = undefined;
    });
  });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Of an agent that was killed: whoever may write here is the agent itself.
  await rm(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  const description = path.replace(/\.sock$/, '.json');
  await writeFile(description, `${JSON.stringify({ socket: path, ...facts })}\n`, { mode: 0o600 });
  return {
    path,
    send(bytes, range) {
      if (attached === undefined || attached.writableLength > mostWaiting) return false;
      attached.write(streamFrame(bytes, range));
      return true;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      attached?.destroy();
      await closed;
      await rm(path, { force: true });
      await rm(description, { force: true });
    },
  };
}
