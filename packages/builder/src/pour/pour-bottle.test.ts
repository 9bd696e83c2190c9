import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { encodeTar, TarDecoder, type TarEntry, type TarMember } from '@tapline/oci';
import { FileBlobStore } from '@tapline/registry';
import { type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import type { LayerRecord } from '../layer-record.ts';
import { readReceipt } from '../read-receipt.ts';
import { readAll } from '../testing/read-all.ts';
import { testSink } from '../testing/test-sink.ts';

const cellar = 'home/linuxbrew/.linuxbrew/Cellar/jq/1.0';

function member(kind: TarEntry['kind'], path: string, more: Partial<TarEntry> = {}): TarMember {
  return { entry: { kind, path, mode: 0o555, uid: 1, gid: 2, size: 0, mtimeSeconds: 9, ...more } };
}

function file(path: string, content: string | Uint8Array): TarMember {
  const data = Buffer.from(content);
  return { ...member('file', path, { size: data.length }), data };
}

async function writeBottle(folder: TemporaryFolder, bytes: Uint8Array): Promise<string> {
  const path = join(folder.path, 'bottle.tar.gz');
  await writeFile(path, bytes);
  return path;
}

interface Built extends LayerRecord {
  /** `path kind mode [target|content]` of each entry of the layer. */
  readonly listing: readonly string[];
}

async function build(
  members: readonly TarMember[],
  changedFiles?: readonly string[],
): Promise<Built> {
  return buildBytes(gzipSync(Buffer.concat([...encodeTar(members)])), changedFiles);
}

async function buildBytes(bytes: Uint8Array, changedFiles?: readonly string[]): Promise<Built> {
  await using folder = await temporaryFolder();
  const bottlePath = await writeBottle(folder, bytes);
  const store = await FileBlobStore.open(join(folder.path, 'store'));
  const record = await testSink(store).pour(
    {
      formula: 'jq',
      pkgVersion: '1.0',
      dependencies: [],
      tab: changedFiles === undefined ? {} : { changedFiles: new Set(changedFiles) },
      bottlePath,
    },
    {},
  );
  const blob = await readAll(store.read(record.digest));
  return { ...record, listing: list(gunzipSync(blob)) };
}

function list(tar: Uint8Array): string[] {
  const decoder = new TarDecoder();
  const lines: string[] = [];
  for (const event of decoder.push(tar)) {
    if (event.kind === 'entry') {
      const { path, kind, mode, linkTarget = '' } = event.entry;
      const shown = path.startsWith(cellar) ? path.slice(cellar.length) : path;
      lines.push(`${shown} ${kind} ${mode.toString(8)} ${linkTarget}`.trim());
    } else if (event.kind === 'data' && event.bytes.length < 100) {
      lines.push(`${lines.pop()} ${Buffer.from(event.bytes).toString('latin1')}`);
    }
  }
  decoder.end();
  return lines;
}

test('a bottle is poured: directories made, placeholders replaced, links kept', async () => {
  const built = await build([
    member('directory', 'jq'),
    member('directory', 'jq/1.0'),
    file('jq/1.0/bin/jq', 'x=@@HOMEBREW_PREFIX@@'),
    member('hardlink', 'jq/1.0/bin/jq2', { linkTarget: 'jq/1.0/bin/jq' }),
    member('symlink', 'jq/1.0/lib/l', { linkTarget: '../bin/jq' }),
    file('jq/1.0/lib/empty', ''),
  ]);
  expect(built.listing).toEqual(
    [
      'home directory 755',
      'home/linuxbrew directory 755',
      'home/linuxbrew/.linuxbrew directory 755',
      'home/linuxbrew/.linuxbrew/Cellar directory 755',
      'home/linuxbrew/.linuxbrew/Cellar/jq directory 755',
      ' directory 755',
      '/bin directory 755',
      '/bin/jq file 755 x=/home/linuxbrew/.linuxbrew',
      `/bin/jq2 hardlink 644 ${cellar}/bin/jq`,
      '/lib directory 755',
      '/lib/l symlink 777 ../bin/jq',
      '/lib/empty file 755',
    ].map((line) => line.trim()),
  );
  expect(built.unpackedSize).toBe('x=/home/linuxbrew/.linuxbrew'.length);
  expect(built.entries).toContainEqual({ kind: 'file', path: 'bin/jq2', executable: true });
});

test('owner, time and order of pouring leave no trace; content does', async () => {
  const members = [file('jq/1.0/a', 'a'), file('jq/1.0/b', 'b')];
  const later = members.map(({ entry, ...rest }) => ({
    entry: { ...entry, mtimeSeconds: 77, uid: 5, mode: 0o755 },
    ...rest,
  }));
  const [one, two, other] = await Promise.all([
    build(members),
    build(later),
    build([file('jq/1.0/a', 'A'), file('jq/1.0/b', 'b')]),
  ]);
  expect(two.digest).toBe(one.digest);
  expect(two.diffId).toBe(one.diffId);
  expect(other.diffId).not.toBe(one.diffId);
});

test('a large file passes through unharmed, a placeholder far inside is found', async () => {
  const noise = randomBytes(5_000_000).map((byte) => byte || 1);
  const text = Buffer.alloc(3_000_000, 'abc\n');
  const last = Buffer.from('@@HOMEBREW_CELLAR@@');
  const built = await build([
    file('jq/1.0/noise', Buffer.concat([Uint8Array.of(0), noise])),
    file('jq/1.0/text', Buffer.concat([text, last])),
  ]);
  const grown = '/home/linuxbrew/.linuxbrew/Cellar'.length;
  expect(built.unpackedSize).toBe(5_000_001 + 3_000_000 + grown);
});

test('files that the tab does not list keep their placeholders', async () => {
  const built = await build(
    [file('jq/1.0/a', '@@HOMEBREW_PREFIX@@'), file('jq/1.0/b', '@@HOMEBREW_PREFIX@@')],
    ['b'],
  );
  expect(built.listing.slice(-2)).toEqual([
    '/a file 755 @@HOMEBREW_PREFIX@@',
    '/b file 755 /home/linuxbrew/.linuxbrew',
  ]);
});

test.each([
  ['path traversal', [file('jq/1.0/../../../../etc/passwd', 'x')]],
  ['an absolute path', [file('/etc/passwd', 'x')]],
  ['a device', [member('character-device', 'jq/1.0/null', { device: { major: 1, minor: 3 } })]],
  ['a file of another keg', [file('openssl/3/bin/openssl', 'x')]],
  [
    'a file behind a link',
    [member('symlink', 'jq/1.0/out', { linkTarget: '../../../..' }), file('jq/1.0/out/x', 'x')],
  ],
  ['a file below a file', [file('jq/1.0/a', 'x'), file('jq/1.0/a/b', 'x')]],
  ['a file twice', [file('jq/1.0/a', 'x'), file('jq/1.0/a', 'y')]],
  ['a hard link to nothing', [member('hardlink', 'jq/1.0/a', { linkTarget: 'jq/1.0/b' })]],
])('%s is refused', async (_, members) => {
  await expect(build([file('jq/1.0/README', 'x'), ...members])).rejects.toMatchObject({
    code: 'unsafe_tar_entry',
  });
});

test.each([
  ['no gzip', Buffer.from('not a bottle')],
  ['half a gzip', gzipSync(randomBytes(100_000)).subarray(0, 50_000)],
  ['no tar', gzipSync(randomBytes(5_000))],
  [
    'half a tar',
    gzipSync(
      Buffer.concat([...encodeTar([file('jq/1.0/a', randomBytes(5_000))])]).subarray(0, 2_000),
    ),
  ],
  ['an empty tar', gzipSync(Buffer.alloc(1024))],
])('%s is a corrupt bottle', async (_, bytes) => {
  await expect(buildBytes(bytes)).rejects.toMatchObject({ code: 'bottle_corrupt' });
});

test('a refused bottle leaves nothing in the store', async () => {
  await using folder = await temporaryFolder();
  const store = await FileBlobStore.open(join(folder.path, 'store'));
  const bytes = gzipSync(Buffer.concat([...encodeTar([file('jq/1.0/a', 'x'), file('/b', 'x')])]));
  const input = { formula: 'jq', pkgVersion: '1.0', dependencies: [], tab: {} };
  const bottlePath = await writeBottle(folder, bytes);
  await expect(testSink(store).pour({ ...input, bottlePath }, {})).rejects.toMatchObject({
    code: 'unsafe_tar_entry',
  });
  for await (const blob of store.list()) expect.unreachable(`${blob.digest} is there`);
});

test('a receipt in the bottle is its tab; most have none', async () => {
  await using folder = await temporaryFolder();
  const receipt = file('jq/1.0/INSTALL_RECEIPT.json', '{"changed_files":["bin/jq"]}');
  const nested = file('jq/1.0/share/INSTALL_RECEIPT.json', '{"changed_files":[]}');
  const pack = (members: readonly TarMember[]): Uint8Array =>
    gzipSync(Buffer.concat([...encodeTar(members)]));
  const options = { formula: 'jq' };
  const without = await writeBottle(folder, pack([nested]));
  expect(await readReceipt(without, options)).toEqual({});
  const carrying = await writeBottle(folder, pack([nested, receipt]));
  expect(await readReceipt(carrying, options)).toEqual({ changedFiles: new Set(['bin/jq']) });
});
