import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { temporaryFolder } from './temporary-folder.ts';

test('folders differ and go away with what they hold', async () => {
  const first = await temporaryFolder();
  await using second = await temporaryFolder();
  expect(first.path).not.toBe(second.path);
  await mkdir(join(first.path, 'a'), { mode: 0o555 });
  await writeFile(join(first.path, 'file'), 'text');
  await first[Symbol.asyncDispose]();
  expect(existsSync(first.path)).toBe(false);
});
