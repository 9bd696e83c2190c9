import type { Socket } from 'node:net';
import type { TunnelStream } from '@tapline/tunnel';
import { ForwardCode } from './forward-code.ts';

/**
 * Copies between a stream and a TCP connection that stays half open, until both ways have ended. A reset
 * of one is a reset of the other. Rejects with why the stream was reset by its peer.
 */
export async function joinSocket(stream: TunnelStream, socket: Socket): Promise<void> {
  // What fails fails a read or a write, too.
  socket.on('error', () => undefined);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  const fail = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : 'the connection was reset';
    // Of no effect where the stream was reset by its peer: it is over.
    stream.reset(ForwardCode.ConnectionReset, reason);
    socket.resetAndDestroy();
  };
  const onClosed = (): void => {
    if (stream.closed.reason instanceof Error) fail(stream.closed.reason);
  };
  stream.closed.addEventListener('abort', onClosed, { once: true });
  try {
    await Promise.all([upwards(stream, socket), downwards(stream, socket)]);
  } catch (error) {
    fail(error);
    const reason: unknown = stream.closed.reason;
    throw reason instanceof Error ? reason : error;
  } finally {
    stream.closed.removeEventListener('abort', onClosed);
  }
}

const keepAliveMs = 60_000;

async function upwards(stream: TunnelStream, socket: Socket): Promise<void> {
  // The other way goes on after this one has ended.
  for await (const part of socket.iterator({ destroyOnReturn: false })) {
    if (!stream.write(part as Buffer)) await stream.writable();
  }
  stream.end();
}

async function downwards(stream: TunnelStream, socket: Socket): Promise<void> {
  for await (const part of stream) {
    await new Promise<void>((resolve, reject) => {
      socket.write(part, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  }
  socket.end();
}
