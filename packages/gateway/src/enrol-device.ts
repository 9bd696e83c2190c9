import { type Clock, TaplineError } from '@tapline/base';
import { publicKeyOf } from './device-key.ts';
import { proveKey } from './enrolment-proof.ts';
import type { EnrolmentAnswer, EnrolmentRequest } from './enrolment-request.ts';
import { fetchPinnedCa } from './fetch-pinned-ca.ts';
import { parseJoinToken } from './join-token.ts';
import { postJson } from './post-json.ts';

/** What a device needs to speak to its control plane: all of it but the CA is secret. */
export interface DeviceIdentity {
  readonly device: string;
  readonly role: 'device' | 'node';
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly caPem: string;
  /** Milliseconds since the Unix epoch, by the control plane's clock. */
  readonly notAfter: number;
  /** When it was issued, by the same clock. */
  readonly issuedAt: number;
  /** This machine's clock minus the control plane's, as of then. */
  readonly clockSkewMs: number;
}

/**
 * Joins a control plane: checks that it is the one the token names before the token is sent.
 * A retry with the same key is answered again. Errors: those of `Enrolment.enrol`, `ca_mismatch`,
 * `gateway_unreachable`.
 */
export async function enrolDevice(request: {
  readonly server: URL;
  readonly token: string;
  readonly name: string;
  readonly platform: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly privateKeyPem: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}): Promise<DeviceIdentity> {
  const { server, token, name, platform, privateKeyPem, clock } = request;
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  const { caFingerprint } = parseJoinToken(token);
  const ca = await fetchPinnedCa(server, { fingerprint: caFingerprint, ...signal });
  const body: EnrolmentRequest = {
    token,
    name,
    platform,
    labels: request.labels ?? {},
    publicKey: Buffer.from(publicKeyOf(privateKeyPem)).toString('base64url'),
    proof: proveKey({ token, name, platform }, privateKeyPem),
  };
  const url = new URL('/gateway/v1/enrol', server);
  const answer = parseAnswer(await postJson(url, { body, tls: { ca }, ...signal }));
  return toIdentity(answer, { privateKeyPem, clock });
}

/** A new certificate for the same key, with the old one as the proof. */
export async function renewIdentity(request: {
  readonly server: URL;
  readonly identity: DeviceIdentity;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}): Promise<DeviceIdentity> {
  const { server, identity, clock } = request;
  const { privateKeyPem } = identity;
  const url = new URL('/gateway/v1/renew', server);
  const tls = { ca: identity.caPem, cert: identity.certificatePem, key: privateKeyPem };
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  const answer = parseAnswer(await postJson(url, { body: {}, tls, ...signal }));
  return toIdentity(answer, { privateKeyPem, clock });
}

function toIdentity(
  answer: EnrolmentAnswer,
  { privateKeyPem, clock }: { readonly privateKeyPem: string; readonly clock: Clock },
): DeviceIdentity {
  const issuedAt = Date.parse(answer.serverTime);
  return {
    device: answer.device,
    role: answer.role,
    privateKeyPem,
    certificatePem: answer.certificate,
    caPem: answer.ca,
    notAfter: Date.parse(answer.notAfter),
    issuedAt,
    clockSkewMs: clock.now() - issuedAt,
  };
}

function parseAnswer(body: unknown): EnrolmentAnswer {
  const answer = body as Partial<Record<keyof EnrolmentAnswer, unknown>> | null;
  for (const field of ['device', 'certificate', 'ca', 'notAfter', 'serverTime'] as const) {
    if (typeof answer?.[field] !== 'string') {
      throw new TaplineError('gateway_error', `the gateway's answer has no ${field}`);
    }
  }
  return answer as EnrolmentAnswer;
}
