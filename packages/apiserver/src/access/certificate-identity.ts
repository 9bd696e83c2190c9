import { createHash, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { isCertifiedSocket } from '@tapline/base';
import type { Identity } from '../identity.ts';

/** Who a certificate says its holder is, and until when it says anything. */
export interface CertifiedIdentity {
  readonly identity: Identity;
  readonly notAfterMs: number;
}

/** Who the verified client certificates of connections are for, read once a connection. */
export class CertificateIdentities {
  readonly #known = new WeakMap<Socket, CertifiedIdentity | 'none'>();

  /** Undefined without a valid certificate; a connection may outlive the one it began with. */
  identify(socket: Socket, nowMs: number): Identity | undefined {
    let known = this.#known.get(socket);
    if (known === undefined) {
      known = read(socket) ?? 'none';
      this.#known.set(socket, known);
    }
    if (known === 'none' || nowMs >= known.notAfterMs) return undefined;
    return known.identity;
  }
}

function read(socket: Socket): CertifiedIdentity | undefined {
  if (!isCertifiedSocket(socket) || !socket.authorized) return undefined;
  return certifiedIdentity(socket.getPeerCertificate() as PeerCertificate);
}

/** Of a certificate that the authority has issued; undefined where it names nobody. */
export function certifiedIdentity(certificate: PeerCertificate): CertifiedIdentity | undefined {
  // Empty where the client sent none.
  if (certificate.subject === undefined) return undefined;
  const { CN, O } = certificate.subject as { CN?: string | string[]; O?: string | string[] };
  if (typeof CN !== 'string' || CN === '') return undefined;
  const groups = O === undefined ? [] : [O].flat();
  return {
    identity: {
      user: CN,
      groups: [...new Set([...groups, 'system:authenticated'])],
      via: 'certificate',
      key: keyFingerprint(certificate.raw),
    },
    notAfterMs: Date.parse(certificate.valid_to),
  };
}

function keyFingerprint(certificate: Buffer): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64url');
}
