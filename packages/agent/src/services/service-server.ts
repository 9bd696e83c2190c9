import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { type Clock, errorMessage, type Log, TaplineError } from '@tapline/base';
import {
  type ConnectionOwner,
  type ControlPlaneService,
  controlPlaneServices,
  serviceHost,
} from '@tapline/gateway';
import { parseRequestHead, type RequestHead } from './request-head.ts';

export interface ServiceServer extends AsyncDisposable {
  readonly port: number;
}

/** How long a program may take to say what it wants. */
const headMs = 10_000;
/** Of all programs together; each is a stream of the tunnel. */
const maxConnections = 64;

/**
 * Lets programs of this machine reach the control plane by name, over the loopback interface and the
 * device's tunnel: the name in the first request decides for the whole connection, which is then copied
 * as it is. Port 0 takes a free one. Throws `listen_failed`.
 */
export async function startServiceServer(init: {
  readonly port: number;
  readonly open: (service: ControlPlaneService, owner: ConnectionOwner) => Promise<Duplex>;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<ServiceServer> {
  const { clock, log } = init;
  const sockets = new Set<Socket>();

  async function serve(socket: Socket): Promise<void> {
    const read = await readHead(socket, clock);
    if (read === undefined) return void socket.destroy();
    const { head, bytes } = read;
    const service = controlPlaneServices.find((one) => serviceHost(one) === head.host);
    if (service === undefined) {
      return refuse(socket, 421, `this is ${controlPlaneServices.map(serviceHost).join(', ')}`);
    }
    let inside: Duplex;
    try {
      inside = await init.open(service, ownerOf(service, head));
    } catch (error) {
      return refuse(socket, 503, errorMessage(error));
    }
    inside.write(bytes);
    // Each fails with the other, and ends by itself.
    pipeline(socket, inside, () => undefined);
    pipeline(inside, socket, () => undefined);
  }

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('close', () => sockets.delete(socket));
    serve(socket).catch((error: unknown) => {
      log.debug('a connection to a service failed', { error: errorMessage(error) });
      socket.destroy();
    });
  });
  server.maxConnections = maxConnections;
  server.listen(init.port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new TaplineError('listen_failed', `cannot listen at 127.0.0.1 port ${init.port}`, {
      cause,
      hint: 'choose another port, or 0 for a free one',
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * Only to read images the device lends its certificate, as those are of this machine anyway. Elsewhere
 * programs show their own credentials: none of them can act as the device.
 */
function ownerOf(service: ControlPlaneService, head: RequestHead): ConnectionOwner {
  return service === 'registry' && !head.hasCredentials ? 'device' : 'guest';
}

async function readHead(
  socket: Socket,
  clock: Clock,
): Promise<{ readonly head: RequestHead; readonly bytes: Buffer } | undefined> {
  const read = new AbortController();
  clock.sleep(headMs, { signal: read.signal }).then(
    () => socket.destroy(),
    () => undefined,
  );
  let bytes = Buffer.alloc(0);
  try {
    for await (const part of socket.iterator({ destroyOnReturn: false })) {
      bytes = Buffer.concat([bytes, part as Buffer]);
      const head = parseRequestHead(bytes);
      if (head === 'malformed') {
        refuse(socket, 400, 'this is no HTTP/1.1 with a Host');
        return undefined;
      }
      if (head !== undefined) return { head, bytes };
    }
  } catch {
    // It went away.
  } finally {
    read.abort('read');
  }
  return undefined;
}

function refuse(socket: Socket, status: number, text: string): void {
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
