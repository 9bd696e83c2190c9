/** A connection whose peer may have shown a certificate: TLS's own, or one inside a tunnel. */
export interface CertifiedSocket {
  /** Whether it showed one that is trusted and valid. */
  readonly authorized: boolean;
  getPeerCertificate(): unknown;
}

export function isCertifiedSocket(socket: object): socket is CertifiedSocket {
  return (
    'authorized' in socket &&
    typeof socket.authorized === 'boolean' &&
    'getPeerCertificate' in socket &&
    typeof socket.getPeerCertificate === 'function'
  );
}
