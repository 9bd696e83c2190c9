/** What the answer to a challenge is for; one for the other is worthless. */
export type ChallengePurpose = 'tunnel' | 'renew';

/**
 * What is signed: for one purpose, once, for the control plane with that authority, and with no other
 * certificate.
 */
export function challengeText(about: {
  readonly purpose: ChallengePurpose;
  readonly challenge: string;
  /** SHA-256 over the authority's certificate in DER, base64url, as a join token has it. */
  readonly caFingerprint: string;
  /** SHA-256 over the device's certificate in DER, base64url. */
  readonly certificateSha256: string;
}): string {
  const { purpose, challenge, caFingerprint, certificateSha256 } = about;
  return `tapline-${purpose}-v1\n${challenge}\n${caFingerprint}\n${certificateSha256}\n`;
}
