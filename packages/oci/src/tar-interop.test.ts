import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTar } from './encode-tar.ts';
import { assertSafeEntry } from './safe-entry.ts';
import { TarDecoder } from './tar-decoder.ts';
import type { TarEntry } from './tar-entry.ts';

const run = promisify(execFile);

/** GNU tar and Python's tarfile are the peers: both are on every Debian that builds Tapline. */
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-tar-'));
  const tree = join(directory, 'tree');
  await mkdir(join(tree, 'bin'), { recursive: true });
  await mkdir(join(tree, 'd'.repeat(120), 'e'.repeat(120)), { recursive: true });
  await writeFile(join(tree, 'bin', 'tool'), Buffer.alloc(70_001, 'tool'), { mode: 0o755 });
  await writeFile(join(tree, 'empty'), '');
  await writeFile(join(tree, 'd'.repeat(120), 'e'.repeat(120), 'f'.repeat(200)), 'deep');
  await writeFile(join(tree, 'naïve 名前'), 'unicode');
  await writeFile(join(tree, '漢'.repeat(70)), 'long unicode');
  await symlink('../x'.repeat(60), join(tree, 'far'));
  await symlink('bin/tool', join(tree, 'near'));
  await link(join(tree, 'bin', 'tool'), join(tree, 'tool'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

function decode(archive: Uint8Array): readonly { entry: TarEntry; data: Buffer }[] {
  const decoder = new TarDecoder();
  const decoded: { entry: TarEntry; data: Buffer }[] = [];
  for (const event of [...decoder.push(archive), ...decoder.end()]) {
    const last = decoded.at(-1);
    if (event.kind === 'entry') decoded.push({ entry: event.entry, data: Buffer.alloc(0) });
    if (event.kind === 'data' && last) last.data = Buffer.concat([last.data, event.bytes]);
  }
  return decoded;
}

describe.each(['gnu', 'pax', 'oldgnu'])('GNU tar --format=%s', (format) => {
  let decoded: readonly { entry: TarEntry; data: Buffer }[];
  beforeAll(async () => {
    const file = join(directory, `${format}.tar`);
    const options = [
      '--sort=name',
      '--owner=123',
      '--group=456',
      '--mtime=@1700000000.25',
      `--format=${format}`,
    ];
    await run('tar', [...options, '-C', join(directory, 'tree'), '-cf', file, '.']);
    decoded = decode(await readFile(file));
  });

  test('gives the names, kinds and targets on disk', () => {
    const seen = decoded.map(({ entry }) => {
      const { kind, path, linkTarget } = assertSafeEntry(entry);
      return [kind, path, ...(linkTarget === undefined ? [] : [linkTarget])];
    });
    expect(new Set(seen)).toEqual(
      new Set([
        ['directory', '.'],
        ['directory', 'bin'],
        ['directory', 'd'.repeat(120)],
        ['directory', `${'d'.repeat(120)}/${'e'.repeat(120)}`],
        ['file', `${'d'.repeat(120)}/${'e'.repeat(120)}/${'f'.repeat(200)}`],
        ['file', 'bin/tool'],
        ['file', 'empty'],
        ['file', 'naïve 名前'],
        ['file', '漢'.repeat(70)],
        ['hardlink', 'tool', 'bin/tool'],
        ['symlink', 'far', '../x'.repeat(60)],
        ['symlink', 'near', 'bin/tool'],
      ]),
    );
  });

  test('gives content, owner, mode and time', () => {
    const tool = decoded.find(({ entry }) => entry.path === './bin/tool');
    expect(tool?.data.equals(Buffer.alloc(70_001, 'tool'))).toBe(true);
    expect(tool?.entry).toMatchObject({
      mode: 0o755,
      uid: 123,
      gid: 456,
      size: 70_001,
      mtimeSeconds: 1_700_000_000 + (format === 'pax' ? 0.25 : 0),
    });
  });

  test('what was decoded is encoded to what GNU tar lists and extracts the same', async () => {
    const original = join(directory, `${format}.tar`);
    const again = join(directory, `${format}-again.tar`);
    const members = decoded.map(({ entry, data }) => ({ entry, data }));
    await writeFile(again, Buffer.concat([...encodeTar(members)]));
    expect(decode(await readFile(again))).toEqual(decoded);
    const list = async (file: string): Promise<string> =>
      (await run('tar', ['--numeric-owner', '--full-time', '-tvf', file])).stdout;
    expect(await list(again)).toBe(await list(original));
    const out = join(directory, `${format}-out`);
    await mkdir(out);
    await run('tar', ['-C', out, '-xf', again]);
    await run('diff', ['-r', '--no-dereference', join(directory, 'tree'), out]);
  });
});

test('GNU tar’s sparse files are refused', async () => {
  const sparse = join(directory, 'sparse');
  const archive = join(directory, 'sparse.tar');
  await run('truncate', ['-s', '10M', sparse]);
  for (const format of ['gnu', 'pax']) {
    await run('tar', ['-C', directory, '--sparse', `--format=${format}`, '-cf', archive, 'sparse']);
    const bytes = await readFile(archive);
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'tar_unsupported' }));
  }
});

test('values that only pax or base-256 hold agree with Python’s tarfile', async () => {
  const entry: TarEntry = {
    kind: 'file',
    path: `${'p'.repeat(160)}/é`,
    mode: 0o4755,
    uid: 3_000_000_000,
    gid: 2_097_152,
    size: 3,
    mtimeSeconds: -1.5,
    xattrs: new Map([['user.note', Buffer.from('a=b\n')]]),
  };
  const ours = join(directory, 'ours.tar');
  const theirs = join(directory, 'theirs.tar');
  const data = Buffer.from('abc');
  await writeFile(ours, Buffer.concat([...encodeTar([{ entry, data }])]));
  const script = [
    'import sys, tarfile',
    'with tarfile.open(sys.argv[1]) as t, tarfile.open(sys.argv[2], "w", format=tarfile.GNU_FORMAT) as o:',
    '  for m in t:',
    '    print(m.name, oct(m.mode), m.uid, m.gid, m.size, m.mtime, repr(m.pax_headers["SCHILY.xattr.user.note"]))',
    '    data = t.extractfile(m)',
    '    m.mtime = 8589934592 * 2',
    '    o.addfile(m, data)',
  ].join('\n');
  const { stdout } = await run('python3', ['-c', script, ours, theirs]);
  expect(stdout).toBe(`${entry.path} 0o4755 3000000000 2097152 3 -1.5 ${String.raw`'a=b\n'`}\n`);
  const { xattrs: _xattrs, ...rest } = entry;
  expect(decode(await readFile(theirs))).toEqual([
    { entry: { ...rest, mtimeSeconds: 2 ** 34 }, data },
  ]);
});
