import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { pageCodeKey } from './page-code-key.ts';

test('a folder has one key, which only its owner reads; without one each is another', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'code');
  const key = await pageCodeKey(path);
  expect(key).toMatch(/^[\w-]{43}$/);
  expect(await pageCodeKey(path)).toBe(key);
  expect((await stat(join(path, 'page.key'))).mode & 0o777).toBe(0o600);
  expect(await pageCodeKey(undefined)).not.toBe(await pageCodeKey(undefined));
});
