import { createHash, verify, X509Certificate } from 'node:crypto';
import { type Clock, TaplineError } from '@tapline/base';
import type { CertificateAuthority } from './certificate-authority.ts';
import { createChallenges } from './challenges.ts';
import { deviceOfUser } from './device-names.ts';
import type { DevicePeer } from './device-peer.ts';
import { challengeText, type ChallengePurpose } from './challenge-text.ts';

/** A certificate, and that its holder has the key: what TLS shows where it can. */
export interface SignedChallenge {
  readonly challenge: string;
  /** DER, base64url. */
  readonly certificate: string;
  /** ECDSA P-256 over `challengeText`, as WebCrypto writes it; base64url. */
  readonly signature: string;
}

/** Challenges for devices, and who has answered them. */
export interface DeviceChallenges {
  issue(): string;
  /**
   * The device that has signed. Throws `challenge_invalid`, `challenge_expired`, `challenge_used`,
   * `unauthorized`. `isExpiredFine`: whoever was away for longer than its certificate lasts.
   */
  verify(
    signed: SignedChallenge,
    about: { readonly purpose: ChallengePurpose; readonly isExpiredFine?: boolean },
  ): DevicePeer;
}

export function createDeviceChallenges(init: {
  readonly authority: Pick<CertificateAuthority, 'hasIssued' | 'fingerprint'>;
  readonly clock: Clock;
}): DeviceChallenges {
  const { authority, clock } = init;
  const challenges = createChallenges({ clock });
  return {
    issue: () => challenges.issue(),
    verify({ challenge, certificate: encoded, signature }, { purpose, isExpiredFine = false }) {
      challenges.check(challenge);
      const raw = Buffer.from(encoded, 'base64url');
      const certificate = parse(raw);
      if (certificate === undefined || !authority.hasIssued(raw)) throw unauthorized();
      const now = clock.now();
      const isInTime = now >= Date.parse(certificate.validFrom);
      const isExpired = now >= Date.parse(certificate.validTo);
      if (!isInTime || (isExpired && !isExpiredFine)) throw unauthorized();
      const legacy = certificate.toLegacyObject();
      const user: unknown = legacy.subject?.CN;
      const device = typeof user === 'string' ? deviceOfUser(user) : undefined;
      const text = challengeText({
        purpose,
        challenge,
        caFingerprint: authority.fingerprint,
        certificateSha256: createHash('sha256').update(raw).digest('base64url'),
      });
      const key = certificate.publicKey;
      const given = Buffer.from(signature, 'base64url');
      const options = { key, dsaEncoding: 'ieee-p1363' } as const;
      const isSigned =
        key.asymmetricKeyType === 'ec' && verify('sha256', Buffer.from(text), options, given);
      if (device === undefined || !isSigned) throw unauthorized();
      challenges.spend(challenge);
      const publicKey = key.export({ type: 'spki', format: 'der' });
      return { device, publicKey, certificate: legacy };
    },
  };
}

function parse(raw: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(raw);
  } catch {
    // Not even a certificate: as good as none.
    return undefined;
  }
}

function unauthorized(): TaplineError {
  return new TaplineError('unauthorized', 'a device certificate of this control plane is needed');
}
