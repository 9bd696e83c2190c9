import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, isTaplineError, type Log, TaplineError } from '@tapline/base';
import { createFailureLimiter } from '@tapline/gateway';
import { profileMediaType, signProfile } from '@tapline/profiles';
import type { Enrolment } from '@tapline/resources';
import type { ProfileKeys } from './open-profile-keys.ts';
import { profileOfEnrolment } from './profile-of-enrolment.ts';

/** Everything below this is profiles. */
export const profilePath = '/profiles/v1/';

/** The address of an Enrolment's profile; the name is for people who look at their downloads. */
export function profileUrl(
  base: string,
  about: { readonly token: string; readonly name: string },
): string {
  return `${base.replace(/\/+$/, '')}${profilePath}${about.token}/${about.name}.mobileconfig`;
}

const statuses: Readonly<Record<string, number>> = {
  profile_unknown: 404,
  profile_expired: 410,
  profile_revoked: 410,
  profile_invalid: 503,
  method_not_allowed: 405,
  too_many_requests: 429,
};

/**
 * Serves signed profiles to who has a link, as often as they ask until it ends. An address that
 * showed ten tokens that are none within a minute has to wait.
 */
export function createProfileHandler(init: {
  readonly keys: ProfileKeys;
  readonly byUid: (uid: string) => Enrolment | undefined;
  readonly count: (enrolment: Enrolment) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { keys, clock, log } = init;
  const limiter = createFailureLimiter({ clock, failures: 10, windowMs: 60_000 });

  async function answer(request: IncomingMessage): Promise<{
    readonly name: string;
    readonly bytes: Uint8Array;
  }> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new TaplineError('method_not_allowed', `profiles take GET, not ${request.method}`);
    }
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const [token = ''] = path.slice(profilePath.length).split('/');
    const grant = keys.links.read(token);
    const enrolment = grant && init.byUid(grant.uid);
    // One answer for a token that was never one and for an object that is gone.
    if (grant === undefined || enrolment === undefined) {
      throw new TaplineError('profile_unknown', 'there is no such profile');
    }
    const { link } = enrolment.spec;
    if (link.revoked || link.generation !== grant.generation) {
      throw new TaplineError('profile_revoked', 'this link was revoked; ask for a new one');
    }
    if (grant.expiresMs <= clock.now()) {
      const at = new Date(grant.expiresMs).toISOString();
      throw new TaplineError('profile_expired', `this link expired at ${at}; ask for a new one`);
    }
    const { bytes } = profileOfEnrolment(enrolment);
    const signed = signProfile(bytes, { signer: keys.signer, timeMs: clock.now() });
    if (request.method === 'GET') await init.count(enrolment);
    return { name: enrolment.metadata.name, bytes: signed };
  }

  return async (request, response) => {
    const source = request.socket.remoteAddress ?? '';
    const waitMs = limiter.waitMs(source);
    response.setHeader('cache-control', 'no-store');
    try {
      if (waitMs > 0) {
        response.setHeader('retry-after', Math.ceil(waitMs / 1000));
        throw new TaplineError('too_many_requests', '10 tries failed within a minute');
      }
      const { name, bytes } = await answer(request);
      response.writeHead(200, {
        'content-type': profileMediaType,
        'content-length': bytes.length,
        'content-disposition': `attachment; filename="${name}.mobileconfig"`,
        'x-content-type-options': 'nosniff',
      });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    } catch (error) {
      const code = isTaplineError(error) ? error.code : 'internal';
      const status = statuses[code] ?? 500;
      if (waitMs === 0 && code === 'profile_unknown') limiter.failed(source);
      if (status === 500) log.error('profile not served', { source, error });
      else log.info('profile refused', { source, code });
      // A person reads this in Safari.
      const text = status >= 500 || !(error instanceof Error) ? 'not available now' : error.message;
      const body = `${text}\n`;
      response.writeHead(status, {
        'content-type': 'text/plain; charset=utf-8',
        'content-length': Buffer.byteLength(body),
        ...(status === 405 && { allow: 'GET, HEAD' }),
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    }
  };
}
