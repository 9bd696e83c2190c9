import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, collectBytes, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { DeviceChallenges, SignedChallenge } from './device-challenges.ts';
import { type DevicePeer, devicePeer } from './device-peer.ts';
import type { Enrolment } from './enrolment.ts';
import { type EnrolmentAnswer, parseEnrolmentRequest } from './enrolment-request.ts';
import { errorAnswer } from './error-body.ts';
import { createFailureLimiter } from './failure-limiter.ts';

const maxBodyBytes = 16_384;
const challengePath = '/gateway/v1/challenge';

/** What is to be signed, and the authority whose control plane asks for it. */
export interface ChallengeAnswer {
  readonly challenge: string;
  /** PEM. */
  readonly ca: string;
}

/**
 * Serves `POST /gateway/v1/enrol` (anonymous), `POST /gateway/v1/renew` (device certificate, by TLS or
 * with a signed challenge) and `GET /gateway/v1/challenge` (anonymous). An address that failed ten times within a minute has to wait.
 */
export function createEnrolmentHandler(init: {
  readonly enrolment: Enrolment;
  readonly authority: Pick<CertificateAuthority, 'hasIssued' | 'certificatePem'>;
  readonly challenges: DeviceChallenges;
  readonly clock: Clock;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { enrolment, authority, challenges, clock, log } = init;
  const limiter = createFailureLimiter({ clock, failures: 10, windowMs: 60_000 });

  async function answer(request: IncomingMessage): Promise<EnrolmentAnswer | ChallengeAnswer> {
    const { pathname } = new URL(request.url ?? '/', 'https://gateway');
    const method = pathname === challengePath ? 'GET' : 'POST';
    if (request.method !== method) {
      throw new TaplineError('method_not_allowed', `${pathname} takes ${method}`);
    }
    switch (pathname) {
      case '/gateway/v1/enrol':
        return enrolment.enrol(parseEnrolmentRequest(await readJson(request)));
      case '/gateway/v1/renew':
        // A device that was away for longer than its certificate lasts still has its key, and comes
        // back; deleting the Device is what keeps it out.
        return enrolment.renew(await renewing(request));
      case challengePath:
        return { challenge: challenges.issue(), ca: authority.certificatePem };
      default:
        throw new TaplineError('not_found', `nothing is served at ${pathname}`);
    }
  }

  async function renewing(request: IncomingMessage): Promise<DevicePeer> {
    const signed = parseSignedChallenge(await readJson(request));
    if (signed === undefined) return devicePeer(request, (raw) => authority.hasIssued(raw));
    return challenges.verify(signed, { purpose: 'renew', isExpiredFine: true });
  }

  return async (request, response) => {
    const source = request.socket.remoteAddress ?? '';
    const waitMs = limiter.waitMs(source);
    try {
      if (waitMs > 0) {
        response.setHeader('retry-after', Math.ceil(waitMs / 1000));
        throw new TaplineError('too_many_requests', `10 tries of ${source} failed within a minute`);
      }
      send(response, 200, await answer(request));
    } catch (error) {
      const { status, body } = errorAnswer(error);
      if (waitMs === 0 && status >= 400 && status < 500) limiter.failed(source);
      if (isTaplineError(error)) log.info('enrolment refused', { source, code: error.code });
      else log.error('enrolment failed', { source, error });
      send(response, status, body);
    }
  };
}

/** Undefined where the body has none: then TLS shows who it is. */
function parseSignedChallenge(body: unknown): SignedChallenge | undefined {
  if (typeof body !== 'object' || body === null || !('challenge' in body)) return undefined;
  const { challenge, certificate, signature } = body as Readonly<Record<string, unknown>>;
  if (
    typeof challenge === 'string' &&
    typeof certificate === 'string' &&
    typeof signature === 'string'
  ) {
    return { challenge, certificate, signature };
  }
  throw new TaplineError(
    'enrolment_invalid',
    'challenge, certificate and signature are not three texts',
  );
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const bytes = await collectBytes(request as AsyncIterable<Buffer>, {
    maxBytes: maxBodyBytes,
    tooLarge: () => new TaplineError('body_too_large', `the body exceeds ${maxBodyBytes} bytes`),
  });
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (cause) {
    throw new TaplineError('enrolment_invalid', 'the body is not JSON', { cause });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
