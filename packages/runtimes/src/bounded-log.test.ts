import { appendFile, mkdtemp, open, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boundLog } from './bounded-log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapline-log-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

test('a log beyond its bound starts again, for a writer that has it open too', async () => {
  const path = join(folder, 'log');
  await using writer = await open(path, 'a');
  await writer.write('12345');
  expect(await boundLog(path, 5)).toBe(false);
  await writer.write('6');
  expect(await boundLog(path, 5)).toBe(true);
  await writer.write('new');
  expect(await readFile(path, 'utf8')).toBe('new');
  expect(await readFile(`${path}.1`, 'utf8')).toBe('23456');
  await appendFile(path, 'er lines');
  await boundLog(path, 5);
  expect(await readFile(`${path}.1`, 'utf8')).toBe('lines');
});

test('a log that cannot be copied is cut all the same', async () => {
  const path = join(folder, 'log');
  await appendFile(path, '123456');
  // Fails like a full disk: there is no room for the copy.
  await symlink('/dev/full', `${path}.1`);
  await expect(boundLog(path, 5)).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await readFile(path, 'utf8')).toBe('');
});

test('a log that is gone needs no bound', async () => {
  expect(await boundLog(join(folder, 'none'), 5)).toBe(false);
});
