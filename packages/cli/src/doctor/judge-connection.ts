import type { Finding } from './finding.ts';
import type { ConnectionObservation, PathObservation } from './path-observation.ts';

/** Whether the control plane answers, and is the one that it says it is. */
export function judgeConnection({ port, connection }: PathObservation): readonly Finding[] {
  switch (connection?.kind) {
    case undefined:
      return [];
    case 'failed':
      return [
        {
          code: 'unreachable',
          level: 'error',
          message: `${connection.address} port ${port} does not answer: ${connection.reason}`,
          hint: 'see whether the control plane runs, and whether the VPN that it is behind is connected',
          details: { address: connection.address, port, reason: connection.reason },
        },
      ];
    case 'not-tls':
      return [
        {
          code: 'not_tls',
          level: 'error',
          message: `${connection.address} port ${port} takes connections and no TLS: ${connection.reason}`,
          hint: 'see whether a proxy or a portal that asks for a login answers in its place',
          details: { address: connection.address, port, reason: connection.reason },
        },
      ];
    case 'open': {
      const { address, protocol } = connection;
      const connectMs = Math.round(connection.connectMs * 10) / 10;
      const handshakeMs = Math.round(connection.handshakeMs * 10) / 10;
      const message = `${address} port ${port} answers: TCP in ${connectMs} ms, ${protocol} in ${handshakeMs} ms more`;
      const details = { address, port, connectMs, handshakeMs, protocol };
      return [{ code: 'reached', level: 'ok', message, details }, judgeCertificate(connection)];
    }
  }
}

const timeFaults: Readonly<Record<string, Finding['code']>> = {
  CERT_HAS_EXPIRED: 'server_certificate_expired',
  CERT_NOT_YET_VALID: 'server_certificate_not_yet_valid',
};

function judgeCertificate({
  checked,
  fault,
  notAfterMs,
}: Extract<ConnectionObservation, { kind: 'open' }>): Finding {
  const until = new Date(notAfterMs).toISOString();
  const details = { notAfter: until, ...(fault === undefined ? {} : { fault }) };
  if (!checked) {
    return {
      code: 'server_certificate_unchecked',
      level: 'note',
      message: `its certificate is good until ${until}, and there is no authority here to check it by`,
      hint: 'name a kubeconfig or the data folder of a device that has joined',
      details,
    };
  }
  if (fault === undefined) {
    const message = `its certificate is that of the control plane's authority, until ${until}`;
    return { code: 'server_certificate_ok', level: 'ok', message, details };
  }
  if (fault === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      code: 'server_certificate_other_name',
      level: 'error',
      message: 'its certificate is for other names and addresses than the one that was asked for',
      hint: 'start the control plane with --host and this name or address',
      details,
    };
  }
  const code = timeFaults[fault];
  if (code !== undefined) {
    const state = fault === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
    return {
      code,
      level: 'error',
      message: `by this machine's clock its certificate ${state}: it ends at ${until}`,
      hint: 'set the clock of this machine; where that is right, restart the control plane',
      details,
    };
  }
  return {
    code: 'server_certificate_untrusted',
    level: 'error',
    message: `its certificate is not that of the control plane's authority (${fault})`,
    hint: 'a proxy that looks into TLS answers in its place, or the address is another one’s: do not go on',
    details,
  };
}
