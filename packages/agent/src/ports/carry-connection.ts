import { connect, type Socket } from 'node:net';
import type { Clock } from '@tapline/base';

/** A program that is just starting again is waited for rather than refused. */
const patienceMs = 5000;
const pauseMs = 50;

/** Connects to a port of this network, in a while where nobody listens yet. Throws the last reason. */
export async function connectPatiently(
  port: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Socket> {
  const until = clock.monotonic() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await connectOnce(port);
    } catch (error) {
      if (clock.monotonic() > until) throw error;
    }
    await clock.sleep(pauseMs, { signal });
  }
}

export function connectOnce(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/**
 * Copies a connection to a port of this network, either way until both have ended. A client that is
 * gone meanwhile, or nobody at the port, is the end of it; resolves in any case.
 */
export async function carryConnection(
  client: Socket,
  port: number,
  { clock }: { readonly clock: Clock },
): Promise<void> {
  const gone = new AbortController();
  client.once('close', () => gone.abort(new Error('the client is gone')));
  client.on('error', () => client.destroy());
  if (client.destroyed) return;
  let inside: Socket;
  try {
    inside = await connectPatiently(port, { clock, signal: gone.signal });
  } catch {
    // A refusal that clients can tell from an answer.
    client.resetAndDestroy();
    return;
  }
  const both = [closed(client), closed(inside)];
  inside.on('error', () => client.destroy());
  // One that ends without having been read to its end takes the other with it.
  inside.once('close', () => client.destroySoon());
  client.once('close', () => inside.destroySoon());
  if (client.destroyed) inside.destroy();
  client.pipe(inside);
  inside.pipe(client);
  await Promise.all(both);
}

function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
