import { createHash, X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { TaplineError } from '@tapline/base';

const handshakeTimeoutMs = 15_000;

/**
 * The certificate authority (PEM) that the server presents, if it is the one whose fingerprint the
 * join token carries. Nothing is sent over this connection: it cannot be trusted before the check.
 * Throws `ca_mismatch` and `gateway_unreachable`.
 */
export async function fetchPinnedCa(
  server: URL,
  options: { readonly fingerprint: string; readonly signal?: AbortSignal },
): Promise<string> {
  const chain = await presentedChain(server, options.signal);
  const pinned = chain.find(
    (raw) => createHash('sha256').update(raw).digest('base64url') === options.fingerprint,
  );
  if (pinned === undefined) {
    throw new TaplineError(
      'ca_mismatch',
      `${server.host} is not certified by the authority that the join token names`,
      {
        hint: 'check the address; if it is right, somebody may be listening in: do not go on',
        details: { expected: options.fingerprint },
      },
    );
  }
  return new X509Certificate(pinned).toString();
}

async function presentedChain(server: URL, signal?: AbortSignal): Promise<readonly Buffer[]> {
  const timeout = AbortSignal.timeout(handshakeTimeoutMs);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const socket = connect({
    host: server.hostname.replace(/^\[|\]$/g, ''),
    port: Number(server.port === '' ? 443 : server.port),
    servername: /^[\d.]+$|:/.test(server.hostname) ? '' : server.hostname,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  try {
    await connected(socket, either);
    const chain: Buffer[] = [];
    let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
    while (
      certificate?.raw !== undefined &&
      !chain.some((raw) => raw.equals(certificate?.raw ?? raw))
    ) {
      chain.push(certificate.raw);
      certificate = certificate.issuerCertificate;
    }
    return chain;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TaplineError('gateway_unreachable', `${server.host} does not answer`, { cause });
  } finally {
    socket.destroy();
  }
}

function connected(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
