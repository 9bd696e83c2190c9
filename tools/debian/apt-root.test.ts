import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';

import { openAptRoot } from './apt-root.ts';
import { debianUnavailable } from './debian-unavailable.ts';
import { unpackDebs } from './unpack-debs.ts';

const reason = await debianUnavailable('arm64');

describe.skipIf(reason !== undefined)(`an apt root of its own ${reason ?? ''}`, () => {
  test('shows, downloads and unpacks another architecture', async () => {
    const root = await openAptRoot({ suite: 'bookworm', architecture: 'arm64' });
    const [hello, ...others] = await root.show(['hello', 'no-such-package-anywhere']);
    expect(others).toEqual([]);
    expect(hello).toMatchObject({ name: 'hello', architecture: 'arm64', source: 'hello' });
    if (hello === undefined) return;
    const [deb = ''] = await root.download([hello]);
    const digest = createHash('sha256')
      .update(await readFile(deb))
      .digest('hex');
    expect(digest).toBe(hello.sha256);
    const before = await stat(deb);
    await root.download([hello]);
    expect((await stat(deb)).mtimeMs).toBe(before.mtimeMs);

    await using folder = await temporaryFolder();
    await unpackDebs([deb], folder.path);
    const program = await readFile(join(folder.path, 'usr/bin/hello'));
    // ELF e_machine (offset 18): 183 is AArch64.
    expect(program.readUInt16LE(18)).toBe(183);
  });

  test('several openers of one root do not disturb each other', async () => {
    const options = { suite: 'bookworm', architecture: 'arm64' } as const;
    const roots = await Promise.all([1, 2, 3].map(() => openAptRoot(options)));
    const shown = await Promise.all(roots.map((root) => root.show(['tree'])));
    expect(shown.map(([item]) => item?.name)).toEqual(['tree', 'tree', 'tree']);
  });
});

test('says that apt cannot reach its mirror, and tries again next time', async () => {
  await using folder = await temporaryFolder();
  const opening = openAptRoot({
    suite: 'bookworm',
    architecture: 'amd64',
    cache: folder.path,
    // A port that nothing listens on: refused at once.
    mirror: { uri: 'http://127.0.0.1:9/debian', signedBy: '/nonexistent.gpg' },
  });
  const code = expect.stringMatching(/^(apt_unreachable|program_missing)$/);
  await expect(opening).rejects.toMatchObject({ code });
  expect(existsSync(join(folder.path, 'bookworm-amd64/updated'))).toBe(false);
});
