import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { wireguardKeyFile } from './wireguard-key-file.ts';

test('a key is made once, for nobody else to read, and only the public one is told', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'keys', 'wireguard.key');
  const made = await wireguardKeyFile(path);
  const secret = Buffer.from(await readFile(path, 'utf8'), 'base64');
  expect(secret).toHaveLength(32);
  expect([(secret[0] ?? 0) & 7, (secret[31] ?? 0) & 192]).toEqual([0, 64]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await wireguardKeyFile(path)).toEqual(made);
  expect(Buffer.from(made.publicKey, 'base64')).toHaveLength(32);
});

/** Bob's. */
const rfcSecret = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb';
const rfcPublic = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f';

test('the public key of RFC 7748 §6.1, and nothing for what is no key', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'wireguard.key');
  await writeFile(path, `${Buffer.from(rfcSecret, 'hex').toString('base64')}\n`);
  const { publicKey } = await wireguardKeyFile(path);
  expect(Buffer.from(publicKey, 'base64').toString('hex')).toBe(rfcPublic);
  await writeFile(path, 'none\n');
  await expect(wireguardKeyFile(path)).rejects.toMatchObject({ code: 'wireguard_key_invalid' });
});
