import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signRegistryToken, verifyRegistryToken } from './registry-token.ts';
import { newSigningKey, openSigningKey, signingKeyOf } from './signing-key.ts';

const key = newSigningKey();
const nowMs = Date.UTC(2026, 0, 1);
const request = {
  issuer: 'tapline',
  subject: 'dana',
  audience: 'registry.example',
  access: [{ type: 'repository', name: 'team/jq', actions: ['pull'] }],
  identity: { groups: [] },
  nowMs,
  lifetimeSeconds: 300,
} as const;
const expected = { issuer: 'tapline', audience: 'registry.example', nowMs };

describe('a registry token', () => {
  test('says who may do what, until it ends', () => {
    const token = signRegistryToken(key, request);
    expect(verifyRegistryToken(key, token, expected)).toMatchObject({
      sub: 'dana',
      access: request.access,
      exp: nowMs / 1000 + 300,
    });
    const later = (ms: number) =>
      verifyRegistryToken(key, token, { ...expected, nowMs: nowMs + ms });
    expect(later(299_000)).toBeDefined();
    expect(later(300_000)).toBeUndefined();
    expect(later(-60_000)).toBeUndefined();
  });

  test('is for one issuer, one service and one key', () => {
    const token = signRegistryToken(key, request);
    expect(verifyRegistryToken(key, token, { ...expected, issuer: 'x' })).toBeUndefined();
    expect(verifyRegistryToken(key, token, { ...expected, audience: 'x' })).toBeUndefined();
    expect(verifyRegistryToken(newSigningKey(), token, expected)).toBeUndefined();
  });

  test('has no algorithm but ours, whatever it says', () => {
    const [, claims = ''] = signRegistryToken(key, request).split('.');
    for (const alg of ['none', 'HS256', 'RS256']) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
      expect(verifyRegistryToken(key, `${header}.${claims}.AAAA`, expected)).toBeUndefined();
      expect(verifyRegistryToken(key, `${header}.${claims}.`, expected)).toBeUndefined();
    }
  });

  test('is worth nothing once a character of it is another', () => {
    const token = signRegistryToken(key, request);
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'b', '0', '_', '-', '.', '='),
        (at, letter) => {
          const changed = `${token.slice(0, at)}${letter}${token.slice(at + 1)}`;
          // The last character of base64url has bits that mean nothing.
          if (changed === token || at === token.length - 1) return;
          expect(verifyRegistryToken(key, changed, expected)).toBeUndefined();
        },
      ),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(verifyRegistryToken(key, text, expected)).toBeUndefined();
      }),
    );
  });
});

describe('the signing key', () => {
  test('is made once, for its owner only', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'token-key.pem');
    const made = await openSigningKey(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const token = signRegistryToken(made, request);
    expect(verifyRegistryToken(await openSigningKey(path), token, expected)).toBeDefined();
    expect(made.id).toMatch(/^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
    expect(await readFile(path, 'utf8')).toContain('PRIVATE KEY');
  });

  test('is of P-256, and says so where a file has something else', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    expect(() => signingKeyOf(privateKey)).toThrow('P-256');
    await using folder = await temporaryFolder();
    await mkdir(folder.path, { recursive: true });
    const path = join(folder.path, 'key');
    await writeFile(path, 'nonsense');
    await expect(openSigningKey(path)).rejects.toMatchObject({ code: 'token_key_invalid' });
  });
});
