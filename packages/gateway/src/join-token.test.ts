import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatJoinToken, parseJoinToken } from './join-token.ts';

const base64url = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,40}[a-z0-9])?$/);

test('what was formatted is parsed, whatever the name', () => {
  fc.assert(
    fc.property(name, base64url, base64url, (tokenName, secret, caFingerprint) => {
      const token = { name: tokenName, secret, caFingerprint };
      expect(parseJoinToken(` ${formatJoinToken(token)}\n`)).toEqual(token);
    }),
  );
});

test('the secret is in no error', () => {
  const secret = createHash('sha256').update('secret').digest('base64url');
  expect(() => parseJoinToken(`tlj.name.${secret}`)).toThrow(
    expect.objectContaining({
      code: 'token_malformed',
      message: expect.not.stringContaining(secret) as string,
    }),
  );
});

test.each(['', 'tlj', 'tla.a.b', 'tlj.UPPER.x.y', `tlj.${'a'.repeat(300)}.b.c`])(
  'refuses %j',
  (text) => {
    expect(() => parseJoinToken(text)).toThrow(
      expect.objectContaining({ code: 'token_malformed' }),
    );
  },
);
