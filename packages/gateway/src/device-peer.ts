import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { TaplineError } from '@tapline/base';
import { deviceOfUser } from './device-names.ts';

/** A device that showed its certificate. */
export interface DevicePeer {
  readonly device: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  readonly certificate: PeerCertificate;
}

/**
 * Who is at the other end of a TLS connection. Throws `unauthorized` where it is not a device.
 * `expired` decides on certificates (DER) whose only fault is that their time is over.
 */
export function devicePeer(
  request: IncomingMessage,
  expired: (certificate: Uint8Array) => boolean = () => false,
): DevicePeer {
  const { socket } = request;
  if (socket instanceof TLSSocket && isAuthentic(socket, expired)) {
    const certificate = socket.getPeerCertificate();
    const { subject, raw } = certificate;
    const user: unknown = subject?.CN;
    const device = typeof user === 'string' ? deviceOfUser(user) : undefined;
    if (device !== undefined) {
      const key = new X509Certificate(raw).publicKey;
      return { device, publicKey: key.export({ type: 'spki', format: 'der' }), certificate };
    }
  }
  throw new TaplineError('unauthorized', 'a device certificate of this control plane is needed');
}

function isAuthentic(socket: TLSSocket, expired: (certificate: Uint8Array) => boolean): boolean {
  if (socket.authorized) return true;
  // Node declares an Error here and gives OpenSSL's code.
  const fault: unknown = socket.authorizationError;
  return fault === 'CERT_HAS_EXPIRED' && expired(socket.getPeerCertificate().raw);
}
