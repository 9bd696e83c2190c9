import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTaplineError } from '@tapline/base';
import { temporaryFolder } from '@tapline/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadHomebrewApiKey } from './homebrew-api-key.ts';
import { verifyApiDocument } from './verify-api-document.ts';

const url = 'http://mirror/api/formula.jws.json';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });

interface Signing {
  readonly header?: object;
  readonly kid?: string;
  readonly key?: KeyObject;
  readonly hash?: string;
  readonly saltLength?: number;
}

function signatureOf(payload: string, signing: Signing = {}): object {
  const { header = { alg: 'PS512', b64: false, crit: ['b64'] }, hash = 'sha512' } = signing;
  const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
  const signature = sign(hash, Buffer.from(`${encoded}.${payload}`), {
    key: signing.key ?? pair.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: signing.saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return {
    protected: encoded,
    header: { kid: signing.kid ?? 'homebrew-1' },
    signature: signature.toString('base64url'),
  };
}

function document(payload: string, signatures: readonly object[] = [signatureOf(payload)]): string {
  return JSON.stringify({ payload, signatures });
}

const verify = (text: string): string => verifyApiDocument(text, { key: pair.publicKey, url });

function outcomeOf(text: string): string {
  try {
    return verify(text);
  } catch (error) {
    return isTaplineError(error) ? error.code : String(error);
  }
}

const refusal = (reason: string): unknown =>
  expect.objectContaining({
    code: 'homebrew_signature_invalid',
    message: expect.stringContaining(url),
    details: { url, reason },
  });

test('what was signed comes back as it was', () => {
  const payload = '[{"name":"jq", "desc":"täglich \\u2028"}]\n';
  expect(verify(document(payload))).toBe(payload);
  const others = [signatureOf(payload, { kid: 'homebrew-2', key: other.privateKey })];
  expect(verify(document(payload, [...others, signatureOf(payload)]))).toBe(payload);
});

describe('is refused:', () => {
  const payload = '[]';
  test.each<[string, string, string]>([
    ['a bare list', 'missing', payload],
    ['no JSON at all', 'missing', '<html>'],
    ['a payload without signatures', 'missing', JSON.stringify({ payload })],
    ['an empty list of signatures', 'missing', document(payload, [])],
    [
      'more signatures than anybody makes',
      'missing',
      document(
        payload,
        Array.from({ length: 17 }, () => ({})),
      ),
    ],
    [
      'a signature of another name',
      'missing',
      document(payload, [signatureOf(payload, { kid: 'mirror-1' })]),
    ],
    [
      'a signature of another key',
      'mismatch',
      document(payload, [signatureOf(payload, { key: other.privateKey })]),
    ],
    ['another payload', 'mismatch', document('[ ]', [signatureOf(payload)])],
    [
      'a salt of another length',
      'mismatch',
      document(payload, [signatureOf(payload, { saltLength: 20 })]),
    ],
    ...(
      [
        ['no algorithm', { alg: 'none', b64: false }],
        ['another hash', { alg: 'PS256', b64: false }],
        ['an encoded payload', { alg: 'PS512' }],
        ['what is critical and unknown', { alg: 'PS512', b64: false, crit: ['b64', 'exp'] }],
        ['a list that is none', { alg: 'PS512', b64: false, crit: 'b64' }],
      ] as const
    ).map(([name, header]): [string, string, string] => [
      name,
      'algorithm',
      document(payload, [signatureOf(payload, { header })]),
    ]),
  ])('%s (%s)', (_name, reason, text) => {
    expect(() => verify(text)).toThrow(refusal(reason));
  });

  test('any change of a byte', () => {
    const text = document('[{"name":"jq"}]');
    const signed = '[{"name":"jq"}]';
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 94 }), (at, by) => {
        const code = 32 + ((text.charCodeAt(at) - 32 + by) % 95);
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        // The last letter of base64url has bits that mean nothing: then it is what was signed.
        expect([signed, 'homebrew_signature_invalid']).toContain(outcomeOf(changed));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the key', () => {
  test("is Homebrew's own unless one is named", async () => {
    const homebrew = loadHomebrewApiKey(undefined);
    expect(homebrew.asymmetricKeyDetails?.modulusLength).toBe(4096);
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'mirror.pem');
    await writeFile(file, pair.publicKey.export({ type: 'spki', format: 'pem' }));
    const own = loadHomebrewApiKey(file);
    expect(verifyApiDocument(document('[]'), { key: own, url })).toBe('[]');
    expect(() => verifyApiDocument(document('[]'), { key: homebrew, url })).toThrow(
      refusal('mismatch'),
    );
  });

  test('has to be an RSA key that is long enough', async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.path, { recursive: true });
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const curve = generateKeyPairSync('ed25519').publicKey;
    const files = [
      ['short.pem', short.export({ type: 'spki', format: 'pem' })],
      ['curve.pem', curve.export({ type: 'spki', format: 'pem' })],
      ['empty.pem', ''],
    ] as const;
    for (const [name, text] of files) {
      const file = join(folder.path, name);
      await writeFile(file, text);
      expect(() => loadHomebrewApiKey(file)).toThrow(
        expect.objectContaining({
          code: 'configuration_invalid',
          message: expect.stringContaining(file),
        }),
      );
    }
    expect(() => loadHomebrewApiKey(join(folder.path, 'missing.pem'))).toThrow(/missing\.pem/);
  });
});
