import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { HashFactory } from '@tapline/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyLayers } from './apply-layers.ts';
import type { Descriptor } from './descriptor.ts';
import { digestBytes } from './digest-bytes.ts';
import { encodeManifest } from './encode-manifest.ts';
import { encodeTar, type TarMember } from './encode-tar.ts';
import { mediaTypes } from './media-types.ts';
import { parseImageConfig } from './parse-image-config.ts';
import { parseManifest } from './parse-manifest.ts';
import type { TarEntry } from './tar-entry.ts';

const run = promisify(execFile);
const peers = ['/usr/bin/umoci', '/usr/bin/skopeo'];
const missing = peers.filter((peer) => !existsSync(peer)).join(' and ');

const sha256: HashFactory = () => {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
};

/** `d/` is a directory, `l -> t` a symlink, `h = t` a hard link, `f: text` a file. */
function member(line: string): TarMember {
  const common = { mode: 0o755, uid: 0, gid: 0, size: 0, mtimeSeconds: 1_700_000_000 };
  const [path = '', operator, rest = ''] = line.split(/ (->|=) |: /);
  if (path.endsWith('/')) {
    return { entry: { ...common, kind: 'directory', path: path.slice(0, -1) } };
  }
  if (operator === '->') return { entry: { ...common, kind: 'symlink', path, linkTarget: rest } };
  if (operator === '=') return { entry: { ...common, kind: 'hardlink', path, linkTarget: rest } };
  const data = Buffer.from(rest);
  return { entry: { ...common, kind: 'file', path, size: data.length }, data };
}

const layers = [
  ['bin/', 'bin/tool: tool', 'bin/same = bin/tool', 'lib -> usr/lib', 'usr/', 'usr/lib/', 'old: x'],
  ['etc/', 'etc/a: a', 'etc/b: b', 'etc/sub/', 'etc/sub/c: c', 'long/'.repeat(40), 'ünï: ü'],
  [
    '.wh.old: ',
    'etc/',
    'etc/.wh..wh..opq: ',
    'etc/new: new',
    'bin/',
    'bin/.wh.same: ',
    'usr: file',
  ],
].map((lines) => lines.map(member));

describe.skipIf(missing !== '')(
  `umoci and skopeo${missing === '' ? '' : ` (skipped: no ${missing})`}`,
  () => {
    let directory: string;
    let image: string;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'tapline-image-'));
      image = join(directory, 'image');
      await mkdir(join(image, 'blobs', 'sha256'), { recursive: true });
      const stored: Descriptor[] = [];
      for (const layer of layers) {
        stored.push(await store(Buffer.concat([...encodeTar(layer)]), mediaTypes.ociLayerTar));
      }
      const config = encodeManifest({
        architecture: 'amd64',
        os: 'linux',
        config: { Entrypoint: ['/bin/tool'], Env: ['A=b'] },
        rootfs: { type: 'layers', diff_ids: stored.map(({ digest }) => digest) },
      });
      const manifest = encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: await store(config, mediaTypes.ociConfig),
        layers: stored,
      });
      const index = encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [
          {
            ...(await store(manifest, mediaTypes.ociManifest)),
            annotations: { 'org.opencontainers.image.ref.name': 'latest' },
          },
        ],
      });
      await writeFile(join(image, 'index.json'), index);
      await writeFile(join(image, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    });

    afterAll(async () => {
      await rm(directory, { recursive: true, force: true });
    });

    async function store(bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
      const digest = digestBytes(bytes, sha256);
      await writeFile(join(image, 'blobs', ...digest.split(':')), bytes);
      return { mediaType, digest, size: bytes.length };
    }

    async function kindAt(path: string): Promise<TarEntry['kind']> {
      const stat = await lstat(path);
      return stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file';
    }

    test('umoci unpacks what applyLayers says', async () => {
      const bundle = join(directory, 'bundle');
      await run('umoci', ['unpack', '--rootless', '--image', `${image}:latest`, bundle]);
      const root = join(bundle, 'rootfs');
      const found = await readdir(root, { recursive: true });
      const kinds = await Promise.all(
        found.map(async (path) => [path, await kindAt(join(root, path))] as const),
      );
      const expected = [...applyLayers(layers.map((layer) => layer.map(({ entry }) => entry)))];
      expect(new Map(kinds)).toEqual(
        new Map(expected.map(([path, { entry }]) => [path, entry.kind])),
      );
      expect(await readFile(join(root, 'etc/new'), 'utf8')).toBe('new');
    });

    test('skopeo reads the image, and what it copies is read here', async () => {
      const { stdout } = await run('skopeo', ['inspect', `oci:${image}:latest`]);
      expect(JSON.parse(stdout)).toMatchObject({ Architecture: 'amd64', Env: ['A=b'] });
      const copy = join(directory, 'docker');
      await run('skopeo', [
        '--insecure-policy',
        'copy',
        '--format=v2s2',
        `oci:${image}:latest`,
        `dir:${copy}`,
      ]);
      const parsed = parseManifest(await readFile(join(copy, 'manifest.json')));
      expect(parsed).toMatchObject({
        kind: 'manifest',
        manifest: { mediaType: mediaTypes.dockerManifest },
      });
      const manifest = parsed.kind === 'manifest' ? parsed.manifest : undefined;
      expect(manifest?.layers).toHaveLength(layers.length);
      const config = await readFile(join(copy, manifest?.config.digest.split(':')[1] ?? ''));
      expect(parseImageConfig(config).config).toMatchObject({ Entrypoint: ['/bin/tool'] });
    });
  },
);
