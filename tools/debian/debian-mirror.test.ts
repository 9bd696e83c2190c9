import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';

import { findDebianMirror } from './debian-mirror.ts';

async function mirrorOf(files: Readonly<Record<string, string>>): Promise<unknown> {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'sources.list.d'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  return await findDebianMirror(folder.path);
}

test('takes the archive of a deb822 file, not security and not others', async () => {
  const text = [
    'Types: deb',
    'URIs: http://mirror.example/debian-security',
    'Suites: bookworm-security',
    'Components: main',
    '',
    'Types: deb',
    '# pinned',
    'URIs: http://mirror.example/debian',
    'Suites: bookworm bookworm-updates',
    'Components: main contrib',
    'Signed-By: /keys/mirror.gpg',
  ].join('\n');
  const files = {
    'sources.list.d/debian.sources': text,
    'sources.list.d/another.list': 'deb https://packages.example/apt stable-x main',
  };
  expect(await mirrorOf(files)).toEqual({
    uri: 'http://mirror.example/debian',
    signedBy: '/keys/mirror.gpg',
  });
});

test('takes the archive of a one-line file', async () => {
  const list =
    '# deb http://old.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://new.example/debian trixie main # x\n';
  expect(await mirrorOf({ 'sources.list': list })).toEqual({
    uri: 'http://new.example/debian',
    signedBy: '/k.gpg',
  });
});

test('says so where no archive of Debian is configured', async () => {
  const list = 'deb http://ubuntu.example/ubuntu noble main\n';
  const unreachable = { code: 'apt_unreachable' };
  await expect(mirrorOf({ 'sources.list': list })).rejects.toMatchObject(unreachable);
  await expect(findDebianMirror('/nonexistent')).rejects.toMatchObject(unreachable);
});
