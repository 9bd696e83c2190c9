import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { createCertificateAuthority } from '@tapline/gateway';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { buildProfile } from '../profile/build-profile.ts';
import { sampleProfile } from '../testing/sample-profile.ts';
import { certificateIssuer } from './certificate-issuer.ts';
import { parseProfileSigner } from './profile-signer.ts';
import { signProfile } from './sign-profile.ts';

const missing = haveProgram('openssl') ? '' : '(needs openssl)';
const { bytes } = buildProfile(sampleProfile);
const timeMs = Date.now();

function openssl(folder: string, ...args: readonly string[]): string {
  return execFileSync('openssl', args, { cwd: folder, timeout: 30_000, stdio: 'pipe' }).toString();
}

/** What openssl takes out of a signed message; throws where it does not verify. */
function verify(folder: string, name: string): void {
  openssl(
    folder,
    'cms',
    '-verify',
    '-inform',
    'DER',
    '-in',
    name,
    '-CAfile',
    'ca.pem',
    '-out',
    'out',
  );
}

describe.skipIf(missing !== '')(`openssl ${missing}`, () => {
  test('verifies what our own authority signed, and nothing that was changed', async () => {
    await using folder = await temporaryFolder();
    const authority = await createCertificateAuthority({
      directory: join(folder.path, 'ca'),
      clock: systemClock,
    });
    await writeFile(join(folder.path, 'ca.pem'), authority.certificatePem);
    const issued = authority.issueSigner({ name: 'Profiles' });
    const signer = parseProfileSigner(issued.privateKeyPem + issued.certificatePem, {
      name: 'own',
    });
    expect(signer.certificates).toHaveLength(2);
    const signed = signProfile(bytes, { signer, timeMs });
    await writeFile(join(folder.path, 'good'), signed);
    verify(folder.path, 'good');
    expect(await readFile(join(folder.path, 'out'))).toEqual(Buffer.from(bytes));
    const printed = openssl(
      folder.path,
      'cms',
      '-cmsout',
      '-print',
      '-inform',
      'DER',
      '-in',
      'good',
    );
    expect(printed).toContain('ecdsa-with-SHA256');
    expect(printed.match(/d\.certificate:/g)).toHaveLength(2);

    const content = Buffer.from(signed).indexOf('News on your phone');
    // In the content, in the attributes or the signature behind the certificates, in the signature.
    for (const at of [content, signed.length - 90, signed.length - 5]) {
      const changed = Uint8Array.from(signed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(join(folder.path, 'bad'), changed);
      expect(() => verify(folder.path, 'bad'), `byte ${at}`).toThrow(/Command failed/);
    }
  });

  test('no client can use such a certificate: it is for signing', async () => {
    await using folder = await temporaryFolder();
    const directory = join(folder.path, 'ca');
    const authority = await createCertificateAuthority({ directory, clock: systemClock });
    await writeFile(join(folder.path, 'ca.pem'), authority.certificatePem);
    const issued = authority.issueSigner({ name: 'system:masters' });
    await writeFile(
      join(folder.path, 'leaf.pem'),
      new X509Certificate(issued.certificatePem).toString(),
    );
    const check = ['verify', '-CAfile', 'ca.pem', '-purpose'];
    expect(openssl(folder.path, ...check, 'smimesign', 'leaf.pem')).toContain('OK');
    for (const purpose of ['sslclient', 'sslserver']) {
      expect(() => openssl(folder.path, ...check, purpose, 'leaf.pem')).toThrow(
        /unsupported|unsuitable/,
      );
    }
  });

  test.each([
    ['P-384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['P-521', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521']],
    ['RSA', ['rsa:2048']],
  ])('verifies a key of %s with a certificate of somebody else', async (_, how) => {
    await using folder = await temporaryFolder();
    const about = ['-subj', '/O=Somebody, é/CN=sign', '-days', '2', '-nodes', '-utf8'];
    openssl(
      folder.path,
      'req',
      '-x509',
      '-newkey',
      ...how,
      '-keyout',
      'key',
      '-out',
      'ca.pem',
      ...about,
    );
    const pem = await readFile(join(folder.path, 'key'), 'utf8');
    const chain = await readFile(join(folder.path, 'ca.pem'), 'utf8');
    const signer = parseProfileSigner(pem + chain, { name: 'signer.pem' });
    await writeFile(join(folder.path, 'good'), signProfile(bytes, { signer, timeMs }));
    verify(folder.path, 'good');
    expect(await readFile(join(folder.path, 'out'))).toEqual(Buffer.from(bytes));
  });
});

describe('refuses', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });

  test('a key without a certificate, and what is no key', () => {
    for (const text of [pem, 'nothing']) {
      expect(() => parseProfileSigner(text, { name: 'signer.pem' })).toThrow(
        expect.objectContaining({
          code: 'profile_signer_invalid',
          message: 'signer.pem cannot sign profiles',
        }),
      );
    }
  });

  test('a key that cannot sign', () => {
    const x25519 = createPrivateKey(
      generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const signer = { key: x25519, certificates: [Uint8Array.of(0x30, 0)] };
    expect(() => signProfile(bytes, { signer, timeMs })).toThrow(
      /a key of type x25519 cannot sign/,
    );
  });

  test('what is no certificate', () => {
    for (const broken of [
      [],
      [0x30],
      [0x30, 0x80],
      [0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
      [0x30, 2, 0x30, 0],
    ]) {
      expect(() => certificateIssuer(Uint8Array.from(broken))).toThrow(
        expect.objectContaining({ code: 'certificate_malformed' }),
      );
    }
  });
});
