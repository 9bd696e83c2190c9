import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { silentLog } from '@tapline/base';
import { type Digest, encodeTar, parseDigest, type TarEntry, type TarMember } from '@tapline/oci';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LayerCompression, LayerStore } from './layer-store.ts';
import { type RootfsMethod, RootfsStore } from './rootfs-store.ts';

let directory: string;
let layers: LayerStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-storage-'));
  layers = await LayerStore.open(directory, { log: silentLog, boot: 'this' });
});
afterEach(async () => {
  await layers[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function member(path: string, more: Partial<TarEntry> & { text?: string } = {}): TarMember {
  const { text, ...entry } = more;
  const data = Buffer.from(text ?? '');
  return {
    entry: {
      kind: 'file',
      path,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: data.length,
      mtimeSeconds: 1_700_000_000,
      ...entry,
    },
    data,
  };
}
const folder = (path: string): TarMember => member(path, { kind: 'directory', mode: 0o755 });
const symlink = (path: string, linkTarget: string): TarMember =>
  member(path, { kind: 'symlink', linkTarget });

function tarOf(members: readonly TarMember[]): { tar: Buffer; diffId: Digest } {
  const tar = Buffer.concat([...encodeTar(members)]);
  return { tar, diffId: parseDigest(`sha256:${createHash('sha256').update(tar).digest('hex')}`) };
}

async function unpack(
  members: readonly TarMember[],
  compression: LayerCompression = 'none',
): Promise<Digest> {
  const { tar, diffId } = tarOf(members);
  await unpackBytes(diffId, compress(tar, compression), compression);
  return diffId;
}

async function unpackBytes(
  diffId: Digest,
  bytes: Uint8Array,
  compression: LayerCompression = 'none',
  maxBytes = 1e9,
): Promise<void> {
  await layers.unpack(diffId, {
    compression,
    maxBytes,
    async *open() {
      for (let at = 0; at < bytes.length; at += 700) {
        yield await Promise.resolve(bytes.subarray(at, at + 700));
      }
    },
  });
}

function compress(tar: Buffer, compression: LayerCompression): Buffer {
  if (compression === 'gzip') return gzipSync(tar);
  return compression === 'zstd' ? zstdCompressSync(tar) : tar;
}

describe('unpacking a layer', () => {
  test.each(['none', 'gzip', 'zstd'] as const)('with compression %s', async (compression) => {
    const diffId = await unpack(
      [
        folder('bin'),
        member('bin/tool', { text: 'x'.repeat(5000), mode: 0o4711 }),
        member('bin/same', { kind: 'hardlink', linkTarget: 'bin/tool' }),
        symlink('bin/alias', '/bin/tool'),
        member('deep/er/file', { text: 'implicit parents', mode: 0o600, uid: 7 }),
      ],
      compression,
    );
    const root = layers.pathOf(diffId);
    const tool = await stat(join(root, 'bin/tool'));
    // Set-user-id is gone, everybody may read, the time is kept.
    expect((tool.mode & 0o7777).toString(8)).toBe('755');
    expect(tool.mtimeMs).toBe(1_700_000_000_000);
    expect((await stat(join(root, 'bin/same'))).ino).toBe(tool.ino);
    expect(await readlink(join(root, 'bin/alias'))).toBe('/bin/tool');
    expect(((await stat(join(root, 'deep/er/file'))).mode & 0o777).toString(8)).toBe('644');
    expect(await layers.bytes()).toBe(5016);
  });

  const outside = (name: string): string => join(tmpdir(), name);
  test.each<[string, readonly TarMember[]]>([
    ['a path that climbs out', [member('../escaped', { text: 'x' })]],
    ['an absolute path', [member('/tmp/escaped', { text: 'x' })]],
    ['a file through a symlink', [symlink('a', tmpdir()), member('a/escaped', { text: 'x' })]],
    ['a file through a symlink and a folder', [symlink('a', tmpdir()), member('a/b/escaped')]],
    ['a folder through a symlink', [symlink('a', tmpdir()), folder('a/escaped')]],
    ['a symlink through a symlink', [symlink('a', tmpdir()), symlink('a/escaped', 'x')]],
    [
      'a hard link to a symlink',
      [symlink('a', '/etc/passwd'), member('b', { kind: 'hardlink', linkTarget: 'a' })],
    ],
    ['a hard link out', [member('b', { kind: 'hardlink', linkTarget: '../../etc/passwd' })]],
    ['a hard link to the host', [member('b', { kind: 'hardlink', linkTarget: '/etc/passwd' })]],
    [
      'a hard link through a symlink',
      [symlink('a', '/etc'), member('b', { kind: 'hardlink', linkTarget: 'a/passwd' })],
    ],
    ['a file below a file', [member('a'), member('a/b')]],
    ['a file in place of a folder', [folder('a'), member('a/b'), member('a')]],
    ['a device', [member('null', { kind: 'character-device', device: { major: 1, minor: 3 } })]],
    ['a pipe', [member('pipe', { kind: 'fifo' })]],
  ])('refuses %s and leaves nothing', async (_what, members) => {
    await expect(unpack(members)).rejects.toMatchObject({ code: 'unsafe_tar_entry' });
    expect(await layers.list()).toEqual([]);
    expect(await readdir(join(directory, 'partial'))).toEqual([]);
    await expect(lstat(outside('escaped'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a folder that replaces a symlink is a folder, and nothing goes through', async () => {
    const diffId = await unpack([
      symlink('a', tmpdir()),
      folder('a'),
      member('a/f', { text: 'in' }),
    ]);
    expect(await readFile(join(layers.pathOf(diffId), 'a/f'), 'utf8')).toBe('in');
  });

  test('a file that replaces a symlink does not write to its target', async () => {
    const victim = join(directory, 'victim');
    await writeFile(victim, 'untouched');
    const diffId = await unpack([symlink('a', victim), member('a', { text: 'new' })]);
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    expect((await lstat(join(layers.pathOf(diffId), 'a'))).isFile()).toBe(true);
  });

  test('refuses other bytes, cut ones and too many', async () => {
    const { tar, diffId } = tarOf([member('a', { text: 'x'.repeat(2000) })]);
    const other = tarOf([member('b')]).diffId;
    await expect(unpackBytes(other, tar)).rejects.toMatchObject({ code: 'digest_mismatch' });
    await expect(unpackBytes(diffId, tar.subarray(0, 1000))).rejects.toMatchObject({
      code: 'tar_truncated',
    });
    const packed = gzipSync(Buffer.concat([tar, Buffer.alloc(10_000_000)]));
    await expect(unpackBytes(diffId, packed, 'gzip', 100_000)).rejects.toMatchObject({
      code: 'layer_too_large',
    });
    await expect(unpackBytes(diffId, packed.subarray(0, 300), 'gzip')).rejects.toThrow(
      /end of file/,
    );
    expect(await layers.list()).toEqual([]);
  });

  test('happens once, also when asked for twice at the same time', async () => {
    const { tar, diffId } = tarOf([member('a', { text: 'x' })]);
    let opened = 0;
    const source = {
      compression: 'none' as const,
      maxBytes: 1e6,
      async *open() {
        opened += 1;
        yield await Promise.resolve(tar);
      },
    };
    await Promise.all([layers.unpack(diffId, source), layers.unpack(diffId, source)]);
    await layers.unpack(diffId, source);
    expect(opened).toBe(1);
  });
});

describe('after a power failure', () => {
  const reopen = (boot: string): Promise<LayerStore> =>
    LayerStore.open(directory, { log: silentLog, boot });

  test('synced layers stay, others go, and so do root file systems made of them', async () => {
    const first = await unpack([member('a', { text: '1' })]);
    await layers.sync();
    const second = await unpack([member('b', { text: '2' })]);
    const stores = await RootfsStore.open(directory, { layers, log: silentLog });
    await stores.prepare(first, [first]);
    await stores.prepare(second, [first, second]);
    await layers.sync();
    await rm(join(directory, 'layers', second.slice(7), 'synced'));

    layers = await reopen('another boot');
    expect(await layers.list()).toEqual([first]);
    const again = await RootfsStore.open(directory, { layers, log: silentLog });
    expect((await again.list()).map(({ image }) => image)).toEqual([first]);
  });

  test('what was half-made when the process was killed is swept', async () => {
    await mkdir(join(directory, 'partial', 'half', 'files'), { recursive: true });
    await mkdir(join(directory, 'rootfs-partial', 'half'), { recursive: true });
    layers = await LayerStore.open(directory, { log: silentLog, boot: 'this' });
    await RootfsStore.open(directory, { layers, log: silentLog });
    expect(await readdir(join(directory, 'partial'))).toEqual([]);
    expect(await readdir(join(directory, 'rootfs-partial'))).toEqual([]);
  });
});

const mountPoints = ['dev', 'proc', 'run', 'sys', 'tmp'];
const canMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;

describe.each<RootfsMethod>(canMount ? ['links', 'overlay'] : ['links'])(
  'a root file system of %s (overlay is left out without root)',
  (method) => {
    let store: RootfsStore;
    const image = parseDigest(`sha256:${'a'.repeat(64)}`);
    beforeEach(async () => {
      store = await RootfsStore.open(directory, { layers, log: silentLog, method });
    });
    afterEach(async () => await store.unmount());

    test('shows the layers from above', async () => {
      const base = await unpack([
        folder('etc'),
        member('etc/a', { text: 'base a' }),
        member('etc/b', { text: 'base b' }),
        symlink('etc/c', 'a'),
        member('file', { text: 'file' }),
      ]);
      const upper = await unpack([
        member('etc/a', { text: 'upper a' }),
        member('etc/c', { text: 'upper c' }),
        folder('file'),
        member('file/inside', { text: 'inside' }),
      ]);
      const rootfs = await store.prepare(image, [base, upper]);
      expect(rootfs.method).toBe(method);
      const read = (path: string): Promise<string> => readFile(join(rootfs.path, path), 'utf8');
      expect(await read('etc/a')).toBe('upper a');
      expect(await read('etc/b')).toBe('base b');
      expect(await read('etc/c')).toBe('upper c');
      expect(await read('file/inside')).toBe('inside');
      expect(await store.find(image)).toEqual(rootfs);
      expect(await store.prepare(image, [base, upper])).toEqual(rootfs);
      expect(await readFile(join(layers.pathOf(base), 'etc/a'), 'utf8')).toBe('base a');
    });

    test('hides what whiteouts remove', async () => {
      const base = await unpack([
        member('a/keep'),
        member('a/gone'),
        member('b/x/y'),
        member('c/old'),
        member('ab/stays'),
      ]);
      const upper = await unpack([
        member('a/.wh.gone'),
        member('.wh.b'),
        member('c/.wh..wh..opq'),
        member('c/new'),
      ]);
      const { path } = await store.prepare(image, [base, upper]);
      const files = (await readdir(path, { recursive: true })).toSorted();
      const expected = [...mountPoints, 'a', 'a/keep', 'ab', 'ab/stays', 'c', 'c/new'];
      expect(files).toEqual(expected.toSorted());
    });

    test('has the places that runtimes mount upon, unless the image has its own', async () => {
      const { path } = await store.prepare(image, [await unpack([symlink('tmp', 'var/tmp')])]);
      expect((await readdir(path)).toSorted()).toEqual(mountPoints);
      expect(await readlink(join(path, 'tmp'))).toBe('var/tmp');
    });

    test('works with one layer, and fails without', async () => {
      const only = await unpack([member('a', { text: 'a' })]);
      const { path } = await store.prepare(image, [only]);
      expect((await readdir(path)).toSorted()).toEqual(['a', ...mountPoints]);
      const missing = parseDigest(`sha256:${'b'.repeat(64)}`);
      await expect(store.prepare(missing, [only, missing])).rejects.toMatchObject({
        code: 'layer_unknown',
      });
    });

    test('keeps its layers from being collected', async () => {
      const [one, two, three, four] = [
        await unpack([member('1', { text: '1' })]),
        await unpack([member('2', { text: '2' })]),
        await unpack([member('3', { text: '3' })]),
        await unpack([member('4', { text: '4' })]),
      ];
      await store.prepare(image, [one, two]);
      await store.prepare(one, [one, three]);
      const gone = await store.collect(new Set([image]), new Set([four]));
      expect(gone).toEqual([three]);
      expect(await store.find(one)).toBeUndefined();
      const rootfs = await store.find(image);
      expect((await readdir(rootfs?.path ?? '')).toSorted()).toEqual(['1', '2', ...mountPoints]);
      expect(await layers.bytes()).toBe(3);
    });

    test('is found again by another process, and made again where a reboot unmounted it', async () => {
      const only = await unpack([member('a', { text: 'a' })]);
      const { path } = await store.prepare(image, [only]);
      const other = await RootfsStore.open(directory, { layers, log: silentLog, method });
      expect((await other.find(image))?.path).toBe(path);
      await store.unmount();
      await other.prepare(image, [only]);
      expect((await readdir(path)).toSorted()).toEqual(['a', ...mountPoints]);
    });
  },
);
