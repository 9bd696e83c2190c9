import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { nodeKey, openNodeKey } from './node-key.ts';
import { espKeyBytes, pairKey } from './pair-key.ts';
import { unwrapKey, wrapKey } from './wrapped-key.ts';

const [a, b, c] = [1, 2, 3].map(() => nodeKey(generateKeyPairSync('x25519').privateKey));
if (a === undefined || b === undefined || c === undefined) throw new Error('no keys');

test('both ends derive the same key, and another for each direction, epoch and use', () => {
  const base = {
    use: 'esp',
    epoch: 7,
    generation: 1,
    from: a.publicKey,
    to: b.publicKey,
    bytes: espKeyBytes,
  } as const;
  const key = pairKey(a, base);
  expect(key).toHaveLength(20);
  expect(pairKey(b, base)).toEqual(key);
  const others = [
    pairKey(a, { ...base, epoch: 8 }),
    pairKey(a, { ...base, generation: 2 }),
    pairKey(a, { ...base, over: 'link' }),
    pairKey(a, { ...base, use: 'wrap' }),
    pairKey(a, { ...base, from: b.publicKey, to: a.publicKey }),
    pairKey(c, { ...base, to: c.publicKey }),
  ];
  const texts = new Set([key, ...others].map((bytes) => bytes.toString('hex')));
  expect(texts.size).toBe(7);
});

test('a wrapped key opens for its receiver only, and only as it was sent', () => {
  const key = randomBytes(32);
  const wrapped = wrapKey(a, { to: b.publicKey, epoch: 3, generation: 1, key });
  expect(unwrapKey(b, wrapped)).toEqual(key);
  const refused = expect.objectContaining({ code: 'wrapped_key_invalid' });
  expect(() => unwrapKey(c, wrapped)).toThrow(refused);
  for (const change of [
    { epoch: 4 },
    { from: c.publicKey },
    { to: c.publicKey },
    { sealed: wrapped.sealed.slice(4) },
    { sealed: Buffer.alloc(60).toString('base64url') },
  ]) {
    expect(() => unwrapKey(b, { ...wrapped, ...change })).toThrow(refused);
  }
});

test('a key that is none, or whose secret everybody knows, is refused', () => {
  for (const bad of ['', 'x', Buffer.alloc(32).toString('base64url')]) {
    expect(() => a.agree(bad)).toThrow(expect.objectContaining({ code: 'node_key_invalid' }));
  }
});

test('the node’s key is made once, for its owner’s eyes only', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'node.key');
  const made = await openNodeKey(path);
  expect((await openNodeKey(path)).publicKey).toBe(made.publicKey);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
