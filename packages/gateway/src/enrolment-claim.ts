/** What the proof covers: it is worthless with another token, name or platform. */
export interface EnrolmentClaim {
  readonly token: string;
  readonly name: string;
  readonly platform: string;
}

/** What is signed; `tokenHash` is SHA-256 over the token, in lower-case hexadecimal. */
export function claimText(
  { name, platform }: Pick<EnrolmentClaim, 'name' | 'platform'>,
  tokenHash: string,
): string {
  return `tapline-enrol-v1\n${tokenHash}\n${name}\n${platform}\n`;
}
