import type { IncomingMessage } from 'node:http';
import type { Clock } from '@tapline/base';
import type { Token } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import { apiError } from '../api-error.ts';
import { anonymous, type Identity } from '../identity.ts';
import { CertificateIdentities } from './certificate-identity.ts';
import { verifyAccessToken } from './verify-access-token.ts';

/**
 * Who sends a request: the connection's client certificate, else a bearer token, else nobody known.
 * A token that is not valid is refused rather than taken for none.
 */
export function createAuthenticator(init: {
  readonly clock: Clock;
  readonly findToken: (name: string) => AnyObject | undefined;
}): (request: IncomingMessage) => Identity {
  const certificates = new CertificateIdentities();
  const find = (name: string): Token | undefined => init.findToken(name) as Token | undefined;
  return (request) => {
    const nowMs = init.clock.now();
    const certified = certificates.identify(request.socket, nowMs);
    if (certified !== undefined) return certified;
    const { authorization } = request.headers;
    if (authorization === undefined) return anonymous;
    const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    const identity = bearer === undefined ? undefined : verifyAccessToken(bearer, find, nowMs);
    if (identity !== undefined) return identity;
    throw apiError('unauthorized', 'Unauthorized');
  };
}
