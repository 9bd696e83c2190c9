import { TaplineError } from '@tapline/base';

/** What `tapline join` is given: `tlj.<name>.<secret>.<fingerprint>`. */
export interface JoinToken {
  /** The Token object's name. */
  readonly name: string;
  /** 32 bytes, base64url. */
  readonly secret: string;
  /** SHA-256 over the authority's certificate in DER, base64url. */
  readonly caFingerprint: string;
}

// A Token's name may have dots itself; the two fixed-length parts at the end tell where it ends.
const form = /^tlj\.([a-z0-9][-a-z0-9.]{0,252})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

export function formatJoinToken(token: JoinToken): string {
  return `tlj.${token.name}.${token.secret}.${token.caFingerprint}`;
}

/** Throws `token_malformed`; the message never repeats the text, which is a secret. */
export function parseJoinToken(text: string): JoinToken {
  const [, name, secret, caFingerprint] = form.exec(text.trim()) ?? [];
  if (name === undefined || secret === undefined || caFingerprint === undefined) {
    throw new TaplineError(
      'token_malformed',
      `a join token of ${text.trim().length} characters is not tlj.<name>.<secret>.<fingerprint>`,
      { hint: 'copy the whole line that `tapline token create` printed' },
    );
  }
  return { name, secret, caFingerprint };
}
