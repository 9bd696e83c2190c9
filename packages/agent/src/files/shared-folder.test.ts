import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSharedFolder, type SharedFolder } from './shared-folder.ts';

let outer: TemporaryFolder;
let root: string;
let folder: SharedFolder;
beforeEach(async () => {
  outer = await temporaryFolder();
  root = join(outer.path, 'shared');
  await mkdir(join(root, 'notes'), { recursive: true });
  await writeFile(join(outer.path, 'secret'), 'secret');
  folder = createSharedFolder(root);
});
afterEach(() => outer[Symbol.asyncDispose]());

async function* inParts(...texts: readonly string[]): AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function bytesOf(path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const part of (await folder.read(path)).parts) chunks.push(part);
  return Buffer.concat(chunks).toString();
}

describe('a shared folder', () => {
  test('gives back what was written, also what is large', async () => {
    const text = 'line\n'.repeat(100_000);
    const file = { sizeBytes: text.length, parts: inParts(text.slice(0, 7), text.slice(7)) };
    const digest = await folder.write('notes/today.txt', file);
    expect(digest).toEqual(createHash('sha256').update(text).digest());
    expect((await folder.read('notes/today.txt')).sizeBytes).toBe(text.length);
    expect(await bytesOf('notes/today.txt')).toBe(text);
  });

  test('keeps what was there where a file does not come whole', async () => {
    await writeFile(join(root, 'a'), 'before');
    for (const sizeBytes of [3, 100]) {
      const file = { sizeBytes, parts: inParts('four', 'more') };
      await expect(folder.write('a', file)).rejects.toMatchObject({ code: 'file_incomplete' });
    }
    await expect(
      folder.write('a', { sizeBytes: 2 ** 40, parts: inParts('x') }),
    ).rejects.toMatchObject({ code: 'file_too_large' });
    expect(await readdir(root)).toEqual(['a', 'notes']);
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('before');
  });

  test.each(['../secret', '/etc/passwd', 'notes/../../secret', '', '.', 'notes/', 'a\0b', 'n//a'])(
    'has no %j',
    async (path) => {
      const refused = { code: 'file_path_invalid' };
      await expect(folder.read(path)).rejects.toMatchObject(refused);
      const file = { sizeBytes: 1, parts: inParts('x') };
      await expect(folder.write(path, file)).rejects.toMatchObject(refused);
      expect(await readFile(join(outer.path, 'secret'), 'utf8')).toBe('secret');
    },
  );

  test('is not left through links', async () => {
    await symlink(outer.path, join(root, 'out'));
    await symlink(join(outer.path, 'secret'), join(root, 'link'));
    await expect(folder.read('out/secret')).rejects.toMatchObject({ code: 'file_path_invalid' });
    await expect(folder.read('link')).rejects.toMatchObject({ code: 'file_not_found' });
    await folder.write('link', { sizeBytes: 3, parts: inParts('new') });
    expect(await bytesOf('link')).toBe('new');
    expect(await readFile(join(outer.path, 'secret'), 'utf8')).toBe('secret');
  });

  test.each(['missing', 'missing/a', 'notes', 'notes/today.txt/a'])('finds no %j', async (path) => {
    await expect(folder.read(path)).rejects.toMatchObject({ code: 'file_not_found' });
  });
});
