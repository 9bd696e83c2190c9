import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { systemClock } from '@tapline/base';
import { carryOnSocket, createCertificateAuthority } from '@tapline/gateway';
import { temporaryFolder } from '@tapline/testing';
import { BufferPool, defaultLimits, type Session, TunnelServer } from '@tapline/tunnel';

/** Serves tunnels that do nothing; its parent asks how it is, and cuts all connections. */
const folder = await temporaryFolder();
const authority = await createCertificateAuthority({ directory: folder.path, clock: systemClock });
await folder[Symbol.asyncDispose]();
const { certificatePem: cert, privateKeyPem: key } = authority.issueServer({ hosts: [] });
const sessions = new Set<Session>();
const sockets = new Set<TLSSocket>();
const tunnels = new TunnelServer({
  clock: systemClock,
  limits: defaultLimits,
  pool: new BufferPool(),
  newToken: () => randomBytes(32),
  onSession(session) {
    sessions.add(session);
    session.closed.addEventListener('abort', () => sessions.delete(session), { once: true });
  },
});
const server = createServer({ cert, key, minVersion: 'TLSv1.3' }, (socket) => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  void carryOnSocket(socket, {
    begin: (transport) => tunnels.accept(transport, 'bench'),
    clock: systemClock,
  });
});
process.on('message', (what) => {
  if (what === 'cut') for (const socket of sockets) socket.destroy();
  const { user, system } = process.cpuUsage();
  process.send?.({
    sessions: sessions.size,
    connected: [...sessions].filter(({ connected }) => connected).length,
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
