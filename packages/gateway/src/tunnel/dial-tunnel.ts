import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, TaplineError } from '@tapline/base';
import type { Dial } from '@tapline/tunnel';
import { errorOfAnswer } from '../error-body.ts';
import type { ClientTls } from '../post-json.ts';
import { carryOnSocket } from './socket-transport.ts';
import { tunnelPath, tunnelUpgrade } from './tunnel-path.ts';
import { watchOwnAddress } from './watch-own-address.ts';

export interface DialInit {
  /** `https://host:port`; over `http:` only tests and benchmarks run. */
  readonly server: URL;
  /** Asked for at each connection: a certificate may have been renewed. */
  readonly tls?: () => ClientTls;
  /** Where tunnels are taken, with a query; that of devices unless given. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What an answer that is no upgrade says; that of the gateway's own endpoints unless given. */
  readonly errorOf?: (status: number, text: string) => Error;
  /** The addresses that this machine has: a connection from one that is lost ends. */
  readonly addresses?: () => ReadonlySet<string>;
  readonly clock: Clock;
  /** For the connection, the TLS handshake and the answer together. */
  readonly timeoutMs?: number;
}

const maxAnswerBytes = 65_536;

/** Dials by an upgrade of HTTP/1.1 to bytes without more framing than TLS's. */
export function dialTunnel(init: DialInit): Dial {
  const { addresses, clock } = init;
  return async (begin, signal) => {
    const ended = new AbortController();
    let close: (() => void) | undefined;
    try {
      const { socket, head } = await upgraded(init, signal, (connected) => {
        if (addresses !== undefined) {
          void watchOwnAddress(connected, { addresses, clock, signal: ended.signal });
        }
      });
      if (socket instanceof Socket) socket.setNoDelay(true);
      close = () => void socket.destroy();
      signal.addEventListener('abort', close, { once: true });
      await carryOnSocket(socket, { begin, clock, head });
    } finally {
      ended.abort('ended');
      if (close !== undefined) signal.removeEventListener('abort', close);
    }
  };
}

interface Upgraded {
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** Throws `gateway_unreachable`, or what the gateway answers. The address may be lost before it does. */
async function upgraded(
  init: DialInit,
  signal: AbortSignal,
  onConnect: (socket: Socket) => void,
): Promise<Upgraded> {
  const { server, clock, tls, timeoutMs = 20_000 } = init;
  const { path = tunnelPath, headers = {}, errorOf = errorOfAnswer } = init;
  signal.throwIfAborted();
  const waiting = new AbortController();
  const stop = AbortSignal.any([signal, waiting.signal]);
  const answered = Promise.withResolvers<Upgraded>();
  const secure = server.protocol === 'https:';
  const sent = (secure ? httpsRequest : httpRequest)({
    host: server.hostname.replace(/^\[|\]$/g, ''),
    port: server.port === '' ? undefined : Number(server.port),
    path,
    headers: { ...headers, connection: 'Upgrade', upgrade: tunnelUpgrade },
    // A connection of its own, and never one that others have used.
    agent: false,
    ...(secure ? { ...tls?.(), minVersion: 'TLSv1.3' } : {}),
  });
  sent.on('socket', (socket) => socket.once('connect', () => onConnect(socket)));
  sent.on('upgrade', (_response, socket, head) => answered.resolve({ socket, head }));
  sent.on('response', (response: IncomingMessage) => {
    readText(response).then(
      (text) => answered.reject(errorOf(response.statusCode ?? 0, text)),
      answered.reject,
    );
  });
  sent.on('error', (cause) => {
    answered.reject(
      new TaplineError('gateway_unreachable', `the gateway at ${server.origin} does not answer`, {
        cause,
      }),
    );
  });
  sent.end();
  const timeout = (async () => {
    await clock.sleep(timeoutMs, { signal: stop });
    throw new TaplineError(
      'gateway_unreachable',
      `the gateway at ${server.origin} did not answer within ${timeoutMs} ms`,
    );
  })();
  try {
    return await Promise.race([answered.promise, timeout]);
  } catch (error) {
    sent.destroy();
    // It may have answered in the same moment.
    answered.promise.then(({ socket }) => socket.destroy()).catch(() => undefined);
    throw error;
  } finally {
    waiting.abort('answered');
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.length > maxAnswerBytes) break;
  }
  return text;
}
