import { createHash, sign, X509Certificate } from 'node:crypto';
import { type ChallengePurpose, challengeText } from '../challenge-text.ts';
import type { SignedChallenge } from '../device-challenges.ts';

/** Answers a challenge where the key can be had, as in Node. */
export function signChallenge(
  init: {
    readonly purpose: ChallengePurpose;
    readonly challenge: string;
    readonly caFingerprint: string;
  },
  identity: { readonly certificatePem: string; readonly privateKeyPem: string },
): SignedChallenge {
  const { raw } = new X509Certificate(identity.certificatePem);
  const certificateSha256 = createHash('sha256').update(raw).digest('base64url');
  const key = { key: identity.privateKeyPem, dsaEncoding: 'ieee-p1363' } as const;
  const text = Buffer.from(challengeText({ ...init, certificateSha256 }));
  return {
    challenge: init.challenge,
    certificate: raw.toString('base64url'),
    signature: sign('sha256', text, key).toString('base64url'),
  };
}
