import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { systemClock } from '@tapline/base';
import { createCertificateAuthority } from '@tapline/gateway';

/**
 * Ends TLS before a server, as proxies do, with a certificate of its own and without asking for one; what is in
 * it passes as it is.
 */
export async function startTlsProxy(
  server: URL,
  { folder }: { readonly folder: string },
): Promise<AsyncDisposable & { readonly url: string }> {
  const authority = await createCertificateAuthority({ directory: folder, clock: systemClock });
  const { certificatePem: cert, privateKeyPem: key } = authority.issueServer({ hosts: [] });
  const sockets = new Set<TLSSocket>();
  const proxy = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (from) => {
    // Whom it reaches is the test's own.
    const to = connect({
      host: server.hostname,
      port: Number(server.port),
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        sockets.delete(socket);
      });
    }
    from.pipe(to).pipe(from);
  });
  proxy.on('tlsClientError', () => undefined);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
