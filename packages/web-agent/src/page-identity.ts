import { TaplineError } from '@tapline/base';
import {
  type ChallengePurpose,
  challengeText,
  type EnrolmentAnswer,
  type SignedChallenge,
} from '@tapline/gateway';
import { base64url } from './base64url.ts';
import type { GatewayEndpoints } from './gateway-endpoints.ts';
import type { PageDatabase } from './page-database.ts';
import type { PageKey } from './page-key.ts';
import { pemBytes } from './pem-bytes.ts';
import { fingerprintOf } from './sha256.ts';

/** Who the page is to its control plane. Nothing of it is secret: the key is kept by the browser. */
export interface PageIdentity {
  readonly device: string;
  readonly role: 'device' | 'node';
  readonly certificatePem: string;
  /** SHA-256 over the authority's certificate, as the join token had it. */
  readonly caFingerprint: string;
  /** Milliseconds since the Unix epoch, by the control plane's clock. */
  readonly issuedAt: number;
  readonly notAfter: number;
}

const identityName = 'identity';

export async function findPageIdentity(database: PageDatabase): Promise<PageIdentity | undefined> {
  return (await database.get('meta', identityName)) as PageIdentity | undefined;
}

export async function storePageIdentity(
  database: PageDatabase,
  answer: EnrolmentAnswer,
): Promise<PageIdentity> {
  const identity: PageIdentity = {
    device: answer.device,
    role: answer.role,
    certificatePem: answer.certificate,
    caFingerprint: await fingerprintOf(pemBytes(answer.ca)),
    issuedAt: Date.parse(answer.serverTime),
    notAfter: Date.parse(answer.notAfter),
  };
  await database.put('meta', identityName, identity);
  return identity;
}

/**
 * Asks for a challenge and signs it: what a certificate shown in TLS is elsewhere. Throws `ca_mismatch`
 * where another authority asks.
 */
export async function answerChallenge(
  about: { readonly purpose: ChallengePurpose; readonly signal?: AbortSignal },
  init: {
    readonly endpoints: Pick<GatewayEndpoints, 'challenge'>;
    readonly identity: PageIdentity;
    readonly key: PageKey;
  },
): Promise<SignedChallenge> {
  const { endpoints, identity, key } = init;
  const { challenge, ca } = await endpoints.challenge(about.signal);
  await checkAuthority(ca, identity.caFingerprint);
  const certificate = pemBytes(identity.certificatePem);
  const text = challengeText({
    purpose: about.purpose,
    challenge,
    caFingerprint: identity.caFingerprint,
    certificateSha256: await fingerprintOf(certificate),
  });
  return { challenge, certificate: base64url(certificate), signature: await key.sign(text) };
}

/** Throws `ca_mismatch`. */
export async function checkAuthority(caPem: string, fingerprint: string): Promise<void> {
  if ((await fingerprintOf(pemBytes(caPem))) === fingerprint) return;
  throw new TaplineError(
    'ca_mismatch',
    'the control plane at this address is not the one that this device has joined, or is to join',
    { hint: 'check the address; a join token names its control plane' },
  );
}
