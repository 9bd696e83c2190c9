import { temporaryFolder } from '@tapline/testing';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readJoinToken } from './read-join-token.ts';

const nothing = Readable.from([]);

test('a token comes from the environment, a file, or standard input', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'token');
  await writeFile(file, 'tlj.a\n');
  expect(await readJoinToken({ given: 'tlj.b', file: undefined }, nothing)).toBe('tlj.b');
  expect(await readJoinToken({ given: 'tlj.b', file }, nothing)).toBe('tlj.a');
  const stdin = Readable.from([Buffer.from('tlj'), Buffer.from('.c\n')]);
  expect(await readJoinToken({ given: undefined, file: '-' }, stdin)).toBe('tlj.c');
});

test('what is no token is refused without being repeated', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'key');
  await writeFile(file, 'secret'.repeat(1000));
  const refused = {
    code: 'token_unreadable',
    message: `${file} is no join token: it has more than 4096 bytes`,
  };
  await expect(readJoinToken({ given: undefined, file }, nothing)).rejects.toMatchObject(refused);
  const missing = join(folder.path, 'missing');
  await expect(readJoinToken({ given: undefined, file: missing }, nothing)).rejects.toMatchObject({
    code: 'token_unreadable',
  });
  await expect(readJoinToken({ given: undefined, file: undefined }, nothing)).rejects.toMatchObject(
    { code: 'usage' },
  );
});
