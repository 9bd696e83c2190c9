import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { errorMessage, type Log } from '@tapline/base';
import { CloseCode, type TunnelSession, type TunnelStream } from '@tapline/tunnel';
import { ForwardCode } from './forward-code.ts';
import { decodePort, encodeListener, encodePort, forwardStreams } from './forward-streams.ts';
import { joinSocket } from './join-socket.ts';
import type { PortSet } from './port-set.ts';

/** What a device lets users reach, and where it listens for them: on its loopback interface only. */
export interface ForwardPolicy {
  readonly connect: PortSet;
  readonly listen: PortSet;
}

/** A device's end of forwards. */
export interface ForwardServer {
  /** Serves a stream of a forward until it ends; false where it is none. */
  serve(stream: TunnelStream, session: Pick<TunnelSession, 'open'>): Promise<void> | undefined;
}

// What listens at one of them only is found, too.
const loopback = ['127.0.0.1', '::1'] as const;

export function createForwardServer(init: {
  readonly policy: ForwardPolicy;
  readonly log: Log;
}): ForwardServer {
  const { policy, log } = init;

  async function forward(stream: TunnelStream): Promise<void> {
    const port = decodePort(stream.opening.header);
    if (!policy.connect.has(port))
      return deny(stream, `the device lets nobody reach its port ${port}`);
    const socket = await reach(port);
    if (socket === undefined) {
      stream.reset(ForwardCode.PortClosed, `nothing listens at port ${port} of the device`);
      return;
    }
    log.info('port forwarded', { port });
    await joinSocket(stream, socket);
  }

  async function listen(stream: TunnelStream, session: Pick<TunnelSession, 'open'>): Promise<void> {
    const port = decodePort(stream.opening.header);
    if (!policy.listen.has(port)) {
      return deny(stream, `the device lets nobody listen at its port ${port}`);
    }
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.on('connection', (socket) => {
      take(socket, { session, listener: stream }).catch((error: unknown) =>
        log.debug('a forwarded connection failed', { port, error: errorMessage(error) }),
      );
    });
    try {
      server.listen(port, loopback[0]);
      await once(server, 'listening');
    } catch (error) {
      const reason = `the device cannot listen at port ${port}: ${errorMessage(error)}`;
      stream.reset(ForwardCode.ListenFailed, reason);
      return;
    }
    log.info('listening for a user', { port });
    try {
      stream.write(encodePort(port));
      // Nothing comes: it ends when the user wants it no more, or is gone.
      while ((await stream.read()) !== undefined);
      stream.end();
    } finally {
      server.close();
    }
  }

  return {
    serve(stream, session) {
      switch (stream.opening.name) {
        case forwardStreams.connect:
          return ended(forward(stream), stream, log);
        case forwardStreams.listen:
          return ended(listen(stream, session), stream, log);
        default:
          return undefined;
      }
    },
  };
}

/** Hands a connection that was taken here over to the user who asked for it. */
async function take(
  socket: Socket,
  of: { readonly session: Pick<TunnelSession, 'open'>; readonly listener: TunnelStream },
): Promise<void> {
  let stream: TunnelStream;
  try {
    stream = of.session.open({
      class: of.listener.opening.class,
      name: forwardStreams.accepted,
      header: encodeListener(of.listener.id),
    });
  } catch (error) {
    socket.on('error', () => undefined).resetAndDestroy();
    throw error;
  }
  await joinSocket(stream, socket);
}

function deny(stream: TunnelStream, reason: string): void {
  stream.reset(ForwardCode.Denied, reason);
}

async function ended(work: Promise<void>, stream: TunnelStream, log: Log): Promise<void> {
  try {
    await work;
  } catch (error) {
    log.debug('a forward ended', { error: errorMessage(error) });
    stream.reset(CloseCode.Internal, errorMessage(error));
  }
}

/** A connection to a port of this machine's loopback interface; undefined where nothing listens. */
async function reach(port: number): Promise<Socket | undefined> {
  for (const host of loopback) {
    const socket = connect({ host, port, allowHalfOpen: true });
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      socket.destroy();
    }
  }
  return undefined;
}
