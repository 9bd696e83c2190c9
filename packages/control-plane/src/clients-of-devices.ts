import type { PeerCertificate } from 'node:tls';
import { type ApiServer, certifiedIdentity } from '@tapline/apiserver';
import { type Clock, TaplineError } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';

interface Known {
  readonly client: ResourceClient;
  readonly notAfterMs: number;
}

/**
 * The API as devices see it, for calls that come in their tunnels: what a request with their certificate
 * may do, they may, and no more. The certificate was verified when the tunnel was let in. Throws
 * `unauthorized` where its time is over.
 */
export function createClientsOfDevices(init: {
  readonly api: Pick<ApiServer, 'operations'>;
  readonly clock: Clock;
}): (certificate: PeerCertificate) => ResourceClient {
  const { api, clock } = init;
  const known = new WeakMap<PeerCertificate, Known>();

  function read(certificate: PeerCertificate): Known | undefined {
    const certified = certifiedIdentity(certificate);
    if (certified === undefined) return undefined;
    const { identity, notAfterMs } = certified;
    return { client: createInProcessClient(api, identity), notAfterMs };
  }

  return (certificate) => {
    const found = known.get(certificate) ?? read(certificate);
    if (found === undefined || clock.now() >= found.notAfterMs) {
      throw new TaplineError('unauthorized', `the certificate ended at ${certificate.valid_to}`);
    }
    known.set(certificate, found);
    return found.client;
  };
}
