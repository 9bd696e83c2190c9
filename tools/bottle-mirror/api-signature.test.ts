import { constants, createPublicKey, verify } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';

import { loadSigningKey, signApiDocument } from './api-signature.ts';

test('the key is made once, also by several mirrors at a time, and its secret half is private', async () => {
  await using folder = await temporaryFolder();
  const keys = await Promise.all([1, 2].map(() => loadSigningKey(folder.path)));
  expect(keys[0]?.privateKey).toBe(keys[1]?.privateKey);
  const { mode } = await stat(join(folder.path, 'api-key/private.pem'));
  expect(mode & 0o777).toBe(0o600);
});

test('the signature covers the payload as it is', async () => {
  await using folder = await temporaryFolder();
  const key = await loadSigningKey(folder.path);
  const payload = '[{"name":"jq","desc":"ünïcode"}]';
  const document = JSON.parse(signApiDocument(payload, key)) as {
    payload: string;
    signatures: { protected: string; header: { kid: string }; signature: string }[];
  };
  expect(document.payload).toBe(payload);
  const [signature] = document.signatures;
  expect(signature?.header.kid).toBe('homebrew-1');
  const header = Buffer.from(signature?.protected ?? '', 'base64url').toString();
  expect(JSON.parse(header)).toEqual({ alg: 'PS512', b64: false, crit: ['b64'] });
  const publicKey = {
    key: createPublicKey(await readFile(key.publicKeyPath)),
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  function verifies(text: string): boolean {
    const input = Buffer.from(`${signature?.protected}.${text}`);
    return verify('sha512', input, publicKey, Buffer.from(signature?.signature ?? '', 'base64url'));
  }
  expect(verifies(payload)).toBe(true);
  expect(verifies(payload.replace('jq', 'jp'))).toBe(false);
});
