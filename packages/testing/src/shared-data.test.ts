import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { sharedDataFile } from './shared-data.ts';
import { temporaryFolder } from './temporary-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a file is found in the folder that the environment names, and only where it is there', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'here.txt'), '');
  vi.stubEnv('TAPLINE_SHARED_DATA', folder.path);
  expect(sharedDataFile('here.txt')).toBe(join(folder.path, 'here.txt'));
  expect(sharedDataFile('not-here.txt')).toBeUndefined();
});
