import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { TaplineError } from '@tapline/base';
import { deviceOfUser } from './device-names.ts';

/** A device that showed its certificate. */
export interface DevicePeer {
  readonly device: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
}

/** Who is at the other end of a TLS connection. Throws `unauthorized` where it is not a device. */
export function devicePeer(request: IncomingMessage): DevicePeer {
  const { socket } = request;
  if (socket instanceof TLSSocket && socket.authorized) {
    const { subject, raw } = socket.getPeerCertificate();
    const user: unknown = subject?.CN;
    const device = typeof user === 'string' ? deviceOfUser(user) : undefined;
    if (device !== undefined) {
      const key = new X509Certificate(raw).publicKey;
      return { device, publicKey: key.export({ type: 'spki', format: 'der' }) };
    }
  }
  throw new TaplineError('unauthorized', 'a device certificate of this control plane is needed');
}
