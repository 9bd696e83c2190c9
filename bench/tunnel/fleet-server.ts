import { randomBytes } from 'node:crypto';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { isTaplineError, systemClock } from '@tapline/base';
import {
  createAdmission,
  createCertificateAuthority,
  createTunnelAcceptor,
  errorAnswer,
  refuseUpgrade,
} from '@tapline/gateway';
import { temporaryFolder } from '@tapline/testing';
import { BufferPool, defaultLimits, TunnelServer } from '@tapline/tunnel';

/**
 * `node fleet-server.ts tunnels|sockets`: a gateway's upgrades with its admission and tunnels, or TLS sockets
 * and nothing else. Its parent asks how it is, and has all connections cut.
 */
const kind = process.argv[2];
const folder = await temporaryFolder();
const authority = await createCertificateAuthority({ directory: folder.path, clock: systemClock });
await folder[Symbol.asyncDispose]();
const { certificatePem: cert, privateKeyPem: key } = authority.issueServer({
  hosts: ['127.0.0.1'],
});
const identity = { cert, key, minVersion: 'TLSv1.3' } as const;
const sockets = new Set<Socket>();
const counts = { connected: 0, refused: 0 };

function forget(this: Socket): void {
  sockets.delete(this);
}

function keep(socket: Socket): void {
  sockets.add(socket);
  socket.on('close', forget);
}

function serveSockets(): Server {
  return createTlsServer(identity, (socket) => {
    keep(socket);
    socket.on('error', () => socket.destroy());
    socket.resume();
    counts.connected += 1;
  });
}

function serveTunnels(): Server {
  const tunnels = new TunnelServer({
    clock: systemClock,
    limits: defaultLimits,
    pool: new BufferPool({ most: 256 }),
    newToken: () => randomBytes(32),
    onSession: (session) => session.onConnection(count),
  });
  const acceptor = createTunnelAcceptor({ server: tunnels, clock: systemClock });
  const admission = createAdmission();
  const server = createHttpsServer(identity);
  server.on('upgrade', (request, socket: Socket, head) => {
    try {
      admission.admit(systemClock.monotonic());
      acceptor.accept({ request, socket, head }, request.headers['x-device'] as string);
      keep(socket);
    } catch (error) {
      if (!isTaplineError(error, 'gateway_busy')) throw error;
      counts.refused += 1;
      refuseUpgrade(socket, errorAnswer(error));
    }
  });
  return server;
}

function count(connected: boolean): void {
  counts.connected += connected ? 1 : -1;
}

process.on('message', (what) => {
  if (what === 'cut') for (const socket of sockets) socket.destroy();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  process.send?.({ ...counts, rss, heapUsed, cpuSeconds: (user + system) / 1e6 });
});
const server = kind === 'tunnels' ? serveTunnels() : serveSockets();
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port, ca: authority.certificatePem });
});
