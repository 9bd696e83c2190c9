import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';

import { runProgram } from '../debian/run-program.ts';
import { packBottle } from './bottle-archive.ts';
import { hostileBottle } from './hostile-bottle.ts';

async function listing(entry: Parameters<typeof hostileBottle>[1]): Promise<string> {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'tree/1.0/bin'), { recursive: true });
  await writeFile(join(folder.path, 'tree/1.0/bin/tree'), 'x'.repeat(700));
  const packed = await packBottle(folder.path, 'tree/1.0', 0);
  const bottle = { ...packed, formula: 'tree', pkgVersion: '1.0' };
  const hostile = await hostileBottle(bottle as never, entry, join(folder.path, 'hostile'));
  const bytes = await readFile(hostile.path);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(hostile.sha256);
  expect(bytes.length).toBe(hostile.sizeBytes);
  // 2: tar finds the archive shorter than the entry says, which is the point of huge-size.
  return await runProgram('tar', ['tvPzf', hostile.path], { accept: [0, 2] });
}

test.each([
  ['path-traversal', / tree\/1\.0\/\.\.\/\.\.\/\.\.\/\.\.\/escaped$/m],
  ['device-node', /^c.* 1,3 .* tree\/1\.0\/device$/m],
  ['huge-size', / 8589934591 .* tree\/1\.0\/huge$/m],
  ['symlink-escape', / tree\/1\.0\/outside -> \.\.\/\.\.\/\.\.\/\.\.\/tmp$/m],
] as const)('%s follows what the bottle had', async (entry, line) => {
  const text = await listing(entry);
  expect(text).toMatch(/ 700 .* tree\/1\.0\/bin\/tree$/m);
  expect(text).toMatch(line);
});
