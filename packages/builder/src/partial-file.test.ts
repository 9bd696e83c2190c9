import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { PartialFile } from './partial-file.ts';

const hello = Buffer.from('hello ');
const world = Buffer.from('world');

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test('what an ended process left is taken over, digest included', async () => {
  await using folder = await temporaryFolder();
  const target = join(folder.path, 'bottle');
  const { pid } = spawnSync('true');
  await writeFile(`${target}.${pid}.abc.part`, hello);
  await using part = await PartialFile.open(target);
  expect(part.size).toBe(hello.length);
  await part.write(world);
  expect(part.hex()).toBe(sha256(Buffer.concat([hello, world])));
  await part.finish();
  expect(await readdir(folder.path)).toEqual(['bottle']);
  expect((await readFile(target)).toString()).toBe('hello world');
});

test('what a running process writes is left to it', async () => {
  await using folder = await temporaryFolder();
  const target = join(folder.path, 'bottle');
  await using first = await PartialFile.open(target);
  await first.write(hello);
  await using second = await PartialFile.open(target);
  expect(second.size).toBe(0);
});

test('of another download nothing is taken', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'bottle2.0.abc.part'), hello);
  await using part = await PartialFile.open(join(folder.path, 'bottle'));
  expect(part.size).toBe(0);
});

test('starting over forgets what was there', async () => {
  await using folder = await temporaryFolder();
  await using part = await PartialFile.open(join(folder.path, 'bottle'));
  await part.write(hello);
  await part.restart();
  await part.write(world);
  await part.finish();
  expect(part.hex()).toBe(sha256(world));
  expect((await readFile(join(folder.path, 'bottle'))).toString()).toBe('world');
});
