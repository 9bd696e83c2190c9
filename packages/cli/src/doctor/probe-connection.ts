import { type Clock, errorMessage } from '@tapline/base';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createExchange, type Exchange } from './exchange.ts';
import type {
  BulkObservation,
  ClockObservation,
  ConnectionObservation,
} from './path-observation.ts';
import { readSockets } from './read-sockets.ts';

const answerWithinMs = 5000;
// Together more than a congestion window, each within what servers take as a header.
const bulkRequests = 16;
const paddingBytes = 9000;

/** What one address answered. */
export interface Probe {
  readonly connection: ConnectionObservation;
  readonly clock: ClockObservation | undefined;
  readonly bulk: BulkObservation | undefined;
}

/**
 * Connects as nobody, asks for the server's health and time, and then sends more than fits into a
 * packet. Nothing secret is sent, so a certificate that is wrong is looked at and no hindrance.
 */
export async function probeConnection(
  {
    host,
    address,
    port,
  }: { readonly host: string; readonly address: string; readonly port: number },
  init: { readonly ca: string | undefined; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Probe> {
  const { clock } = init;
  const signal = (): AbortSignal =>
    AbortSignal.any([init.signal, AbortSignal.timeout(answerWithinMs)]);
  const failed = (kind: 'failed' | 'not-tls', error: unknown): Probe => ({
    connection: { kind, address, reason: errorMessage(error) },
    clock: undefined,
    bulk: undefined,
  });
  const fromMs = clock.monotonic();
  let tcp: Socket;
  try {
    tcp = await opened(connectTcp({ host: address, port, noDelay: true }), 'connect', signal());
  } catch (error) {
    init.signal.throwIfAborted();
    return failed('failed', error);
  }
  const connectMs = clock.monotonic() - fromMs;
  let tls: TLSSocket;
  try {
    const options = {
      socket: tcp,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(init.ca === undefined ? {} : { ca: init.ca }),
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    };
    tls = await opened(connectTls(options), 'secureConnect', signal());
  } catch (error) {
    tcp.destroy();
    init.signal.throwIfAborted();
    return failed('not-tls', error);
  }
  try {
    const handshakeMs = clock.monotonic() - fromMs - connectMs;
    // Node declares an Error here and gives OpenSSL's code.
    const fault: unknown = tls.authorized ? undefined : tls.authorizationError;
    const connection: ConnectionObservation = {
      kind: 'open',
      address,
      connectMs,
      handshakeMs,
      protocol: tls.getProtocol() ?? 'TLS',
      checked: init.ca !== undefined,
      fault: fault === undefined ? undefined : faultCode(fault),
      notAfterMs: Date.parse(tls.getPeerCertificate().valid_to),
    };
    const exchange = createExchange(tls, { host, port });
    const time = await askTime(exchange, { clock, signal: signal() });
    init.signal.throwIfAborted();
    const bulk = time === undefined ? undefined : await sendBulk(exchange, tcp, { signal });
    return { connection, clock: time?.clock, bulk };
  } finally {
    tls.destroy();
  }
}

async function askTime(
  exchange: Exchange,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<{ readonly clock: ClockObservation | undefined } | undefined> {
  try {
    // The first answer also waits for what the server sets up; the second is the path's.
    await exchange.ask({}, signal);
    const sentMs = clock.now();
    const headers = await exchange.ask({}, signal);
    const receivedMs = clock.now();
    const serverMs = Date.parse(headers.get('date') ?? '');
    return { clock: Number.isNaN(serverMs) ? undefined : { sentMs, receivedMs, serverMs } };
  } catch {
    // Whoever is there speaks TLS and no HTTP: that it was reached is all there is to say.
    return undefined;
  }
}

async function sendBulk(
  exchange: Exchange,
  tcp: Socket,
  init: { readonly signal: () => AbortSignal },
): Promise<BulkObservation> {
  const own = `${bracketed(tcp.localAddress ?? '')}:${tcp.localPort}`;
  const before = await readSockets(init.signal());
  let sentBytes = 0;
  let answered = true;
  try {
    for (let at = 0; at < bulkRequests; at += 1) {
      // Random, so that no VPN compresses it.
      const padding = randomBytes(paddingBytes).toString('base64url');
      sentBytes += padding.length;
      await exchange.ask({ 'x-padding': padding }, init.signal());
    }
  } catch {
    answered = false;
  }
  const after = await readSockets(init.signal());
  const socket = after?.find(({ local }) => local === own);
  const others = after
    // Others through the same tunnel are carried themselves.
    ?.filter(({ local }) => addressOf(local) !== addressOf(own))
    .map(({ local, peer, program, sentBytes: now }) => {
      const then = before?.find((one) => one.local === local && one.peer === peer);
      return { local, peer, program, sentBytes: now - (then?.sentBytes ?? 0) };
    });
  return { sentBytes, answered, socket, others };
}

function addressOf(end: string): string {
  return end.slice(0, end.lastIndexOf(':'));
}

function bracketed(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
}

function faultCode(fault: unknown): string {
  if (fault instanceof Error) return 'code' in fault ? String(fault.code) : fault.message;
  return String(fault);
}

async function opened<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  try {
    await once(socket, event, { signal });
    socket.on('error', () => undefined);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    if (signal.aborted)
      throw new Error(`nothing within ${answerWithinMs / 1000} s`, { cause: error });
    throw error;
  }
}
