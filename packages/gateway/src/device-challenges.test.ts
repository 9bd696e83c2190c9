import { ManualClock, systemClock } from '@tapline/base';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CertificateAuthority, createCertificateAuthority } from './certificate-authority.ts';
import { createDeviceChallenges } from './device-challenges.ts';
import { newDeviceKey, publicKeyOf } from './device-key.ts';
import { deviceUser } from './device-names.ts';
import { signChallenge } from './testing/sign-challenge.ts';

const day = 86_400_000;
let folder: TemporaryFolder;
let other: TemporaryFolder;
let authority: CertificateAuthority;
let stranger: CertificateAuthority;

beforeAll(async () => {
  folder = await temporaryFolder();
  other = await temporaryFolder();
  authority = await createCertificateAuthority({ directory: folder.path, clock: systemClock });
  stranger = await createCertificateAuthority({ directory: other.path, clock: systemClock });
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

function identityOf(
  from: CertificateAuthority,
  user = deviceUser('d1'),
): { readonly certificatePem: string; readonly privateKeyPem: string } {
  const privateKeyPem = newDeviceKey();
  const publicKey = publicKeyOf(privateKeyPem);
  const issued = from.issueClient({ user, groups: [], publicKey, lifetimeMs: day });
  return { certificatePem: issued.certificatePem, privateKeyPem };
}

test('knows who has answered, once, for one purpose and in time', async () => {
  const clock = new ManualClock(Date.now());
  const challenges = createDeviceChallenges({ authority, clock });
  const identity = identityOf(authority);
  const answer = (over: Partial<Parameters<typeof signChallenge>[0]> = {}, who = identity) =>
    signChallenge(
      {
        purpose: 'tunnel',
        challenge: challenges.issue(),
        caFingerprint: authority.fingerprint,
        ...over,
      },
      who,
    );
  const verify = (signed: ReturnType<typeof answer>) => () =>
    challenges.verify(signed, { purpose: 'tunnel' });

  const first = answer();
  expect(verify(first)()).toMatchObject({
    device: 'd1',
    publicKey: publicKeyOf(identity.privateKeyPem),
    certificate: { subject: { CN: 'system:device:d1' } },
  });
  expect(verify(first)).toThrow(expect.objectContaining({ code: 'challenge_used' }));

  const unauthorized = expect.objectContaining({ code: 'unauthorized' });
  expect(verify(answer({ purpose: 'renew' }))).toThrow(unauthorized);
  expect(verify(answer({ caFingerprint: stranger.fingerprint }))).toThrow(unauthorized);
  expect(verify(answer({}, identityOf(stranger)))).toThrow(unauthorized);
  expect(verify(answer({}, identityOf(authority, 'olga')))).toThrow(unauthorized);
  const stolen = { ...identity, privateKeyPem: newDeviceKey() };
  expect(verify(answer({}, stolen))).toThrow(unauthorized);
  expect(verify({ ...answer(), certificate: 'AAAA' })).toThrow(unauthorized);
  expect(verify({ ...answer(), signature: '' })).toThrow(unauthorized);

  const unknown = createDeviceChallenges({ authority, clock }).issue();
  for (const challenge of [unknown, '', 'x', `${challenges.issue()}A`, 'A'.repeat(100_000)]) {
    expect(verify(answer({ challenge }))).toThrow(
      expect.objectContaining({ code: 'challenge_invalid' }),
    );
  }

  const late = answer();
  await clock.advance(30_001);
  expect(verify(late)).toThrow(expect.objectContaining({ code: 'challenge_expired' }));
});

test('lets a certificate whose time is over renew, and do nothing else', async () => {
  const clock = new ManualClock(Date.now());
  const challenges = createDeviceChallenges({ authority, clock });
  const identity = identityOf(authority);
  await clock.advance(2 * day);
  const caFingerprint = authority.fingerprint;
  const answer = (purpose: 'tunnel' | 'renew') =>
    signChallenge({ purpose, challenge: challenges.issue(), caFingerprint }, identity);
  expect(() => challenges.verify(answer('tunnel'), { purpose: 'tunnel' })).toThrow(
    expect.objectContaining({ code: 'unauthorized' }),
  );
  const renewing = { purpose: 'renew', isExpiredFine: true } as const;
  expect(challenges.verify(answer('renew'), renewing)).toMatchObject({ device: 'd1' });
});
