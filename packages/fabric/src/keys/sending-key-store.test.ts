import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import type { KeyReference } from '@tapline/segments';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { openSendingKeys, type SendingKeyStore } from './sending-key-store.ts';

const clock = systemClock;

function esp(from: SendingKeyStore, to: SendingKeyStore, more: Partial<KeyReference> = {}) {
  return {
    use: 'esp',
    from: 'n1',
    to: 'n2',
    epoch: 3,
    generation: from.current.generation,
    fromKey: from.current.publicKey,
    toKey: to.current.publicKey,
    ...more,
  } as const;
}

test('a key is given out to send with once, also after a restart; to receive with any time', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a');
  const a = await openSendingKeys(file, { clock });
  const b = await openSendingKeys(join(folder.path, 'b'), { clock });
  const key = await a.keyFor(esp(a, b));
  const used = expect.objectContaining({ code: 'key_used' });
  await expect(a.keyFor(esp(a, b))).rejects.toEqual(used);
  expect(await b.keyFor(esp(a, b))).toEqual(key);
  expect(await b.keyFor(esp(a, b))).toEqual(key);
  const again = await openSendingKeys(file, { clock });
  await expect(again.keyFor(esp(again, b))).rejects.toEqual(used);
  // The next generation is another key for everybody, and the old one is not to be had any more.
  await again.renew();
  const next = await again.keyFor(esp(again, b));
  expect(next).not.toEqual(key);
  expect(await b.keyFor(esp(again, b))).toEqual(next);
  await expect(again.keyFor(esp(again, b, { generation: 1 }))).rejects.toEqual(used);
  expect(await readFile(`${file}.sent`, 'utf8')).not.toContain(next.toString('hex'));
});

test('a MACsec key is the same for all that it was wrapped for, and for nobody else', async () => {
  await using folder = await temporaryFolder();
  const [a, b, c] = await Promise.all(
    ['a', 'b', 'c'].map((name) => openSendingKeys(join(folder.path, name), { clock })),
  );
  if (a === undefined || b === undefined || c === undefined) throw new Error('no stores');
  const { publicKey: fromKey, generation } = a.current;
  const own = { use: 'macsec', from: 'n1', epoch: 5, generation, fromKey } as const;
  const key = await a.keyFor(own);
  expect(key).toHaveLength(32);
  await expect(a.keyFor(own)).rejects.toMatchObject({ code: 'key_used' });
  const [forB, forC] = a.seal([b, c].map(({ current }) => ({ to: current.publicKey, epoch: 5 })));
  const at = (store: SendingKeyStore, sealed = '') =>
    store.keyFor({ ...own, to: 'x', toKey: store.current.publicKey, sealed });
  expect(await at(b, forB?.sealed)).toEqual(key);
  expect(await at(c, forC?.sealed)).toEqual(key);
  const refused = expect.objectContaining({ code: 'wrapped_key_invalid' });
  await expect(at(c, forB?.sealed)).rejects.toEqual(refused);
  // Wrapped for one generation, it is no other's.
  const later = { ...own, to: 'x', toKey: b.current.publicKey, generation: generation + 1 };
  await expect(b.keyFor({ ...later, sealed: forB?.sealed ?? '' })).rejects.toEqual(refused);
});

test('notes that cannot be read are no reason to send with a key again', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a');
  await openSendingKeys(file, { clock });
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${file}.sent`, '{}');
  await expect(openSendingKeys(file, { clock })).rejects.toMatchObject({
    code: 'key_notes_invalid',
  });
});
