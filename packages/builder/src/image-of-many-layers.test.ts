import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parseFormula } from '@tapline/brew';
import { encodeTar, mediaTypes, type TarMember } from '@tapline/oci';
import { FileBlobStore } from '@tapline/registry';
import { haveProgram, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assembleImage } from './assemble-image.ts';
import type { PouredKeg } from './build-link-layer.ts';
import type { BuiltImage, BuiltPlatform } from './built-image.ts';
import type { Compression } from './compression.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { PlannedBottle } from './package-plan.ts';
import { putDocument } from './put-document.ts';
import { plannedBottle } from './testing/planned-bottle.ts';
import { startContainerd } from './testing/start-containerd.ts';
import { testSink } from './testing/test-sink.ts';
import { writeOciLayout } from './write-oci-layout.ts';

const run = promisify(execFile);
const cellar = 'home/linuxbrew/.linuxbrew/Cellar';

function lacking(...programs: readonly string[]): string {
  const missing = programs.filter((program) => !haveProgram(program));
  return missing.length === 0 ? '' : `(skipped: no ${missing.join(', ')})`;
}

describe.each([
  { compression: 'gzip', formulae: 130, maxLayers: 120 },
  { compression: 'gzip', formulae: 12, maxLayers: 6 },
  { compression: 'zstd', formulae: 12, maxLayers: 6 },
] as const)('an image of $formulae formulae, in $compression', (image) => {
  const { compression, formulae, maxLayers } = image;
  let folder: TemporaryFolder;
  let built: BuiltPlatform;
  let layout: string;
  let archive: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const store = await FileBlobStore.open(join(folder.path, 'store'));
    const sink = testSink(store, compression);
    const numbers = Array.from({ length: formulae }, (_, number) => number);
    const poured = await mapConcurrently(numbers, { limit: 32 }, (number) =>
      pour(number, { sink, directory: folder.path }),
    );
    const kegs = poured.map(({ keg }) => keg);
    const bottles = poured.map(({ bottle }) => bottle);
    const root = bottles.at(-1);
    if (root === undefined) throw new RangeError('no bottles');
    const plan = { tag: 'x86_64_linux', root, bottles } as const;
    built = await assembleImage({ store, sink }, { plan, kegs }, { maxLayers });
    const index = await putDocument(store, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [built.manifest],
    });
    layout = join(folder.path, 'layout');
    await writeOciLayout(store, imageOf(built, { index, compression }), {
      directory: layout,
      refName: 'many',
    });
    archive = join(folder.path, 'image.tar');
    await run('tar', ['-cf', archive, '-C', layout, '.']);
  }, 60_000);
  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  test('has no more layers than allowed, with every file in one of them', () => {
    expect(built.layers.length).toBeLessThanOrEqual(maxLayers);
    const merged = built.layers.find((layer) => layer.formulae !== undefined);
    expect(merged?.formulae?.length).toBeGreaterThan(1);
    const named = built.layers.flatMap(
      ({ formula, formulae: several }) => several ?? formula ?? [],
    );
    expect(new Set(named).size).toBe(formulae);
  });

  const noUmoci = lacking('skopeo', 'umoci');
  // Debian's umoci is older than layers in zstd; podman and containerd are not.
  test.skipIf(noUmoci !== '' || compression === 'zstd')(
    `skopeo copies it and umoci unpacks it ${noUmoci}`,
    { timeout: 60_000 },
    async () => {
      const copy = join(folder.path, 'copy');
      await run('skopeo', [
        '--insecure-policy',
        'copy',
        '-q',
        `oci:${layout}:many`,
        `oci:${copy}:x`,
      ]);
      const bundle = join(folder.path, 'bundle');
      await run('umoci', ['unpack', '--rootless', `--image=${copy}:x`, bundle]);
      expect(await readdir(join(bundle, 'rootfs', cellar))).toHaveLength(formulae);
    },
  );

  // Drivers that need nothing of the machine copy the whole tree for each layer: minutes for 120.
  const isLarge = formulae > 100;
  const noPodman = process.getuid?.() === 0 ? lacking('podman') : '(skipped: not root)';
  test.skipIf(noPodman !== '' || isLarge)(
    `podman takes it and mounts it ${noPodman}`,
    { timeout: 120_000 },
    async () => {
      const root = join(folder.path, 'podman');
      const storage = [
        '--root',
        join(root, 'root'),
        '--runroot',
        join(root, 'run'),
        '--storage-driver',
        'vfs',
      ];
      const podman = (...words: readonly string[]) => run('podman', [...storage, ...words]);
      const { stdout } = await podman('load', '-q', '-i', archive);
      const loaded = stdout.trim().replace(/^Loaded image: /, '');
      const mounted = await podman('image', 'mount', loaded);
      expect(await readdir(join(mounted.stdout.trim(), cellar))).toHaveLength(formulae);
      await podman('image', 'umount', '--all');
      await podman('rmi', '--all', '--force');
    },
  );

  const noContainerd =
    process.getuid?.() === 0 ? lacking('containerd', 'ctr', 'tar') : '(skipped: not root)';
  test.skipIf(noContainerd !== '')(
    `containerd imports it and finds it complete ${noContainerd}`,
    { timeout: 120_000 },
    async () => {
      await using daemon = await startContainerd(folder.path);
      const { ctr } = daemon;
      const unpack = isLarge ? ['--no-unpack'] : ['--snapshotter', 'native'];
      await ctr('image', 'import', '--base-name', 'tapline/many', ...unpack, archive);
      const stdout = await ctr('image', 'check', '--snapshotter', 'native');
      // The config and each layer, and whether they are unpacked.
      const blobs = built.layers.length + 1;
      expect(stdout).toMatch(
        new RegExp(`many:many .* complete \\(${blobs}/${blobs}\\) .* ${!isLarge}`),
      );
    },
  );
});

async function pour(
  number: number,
  into: { readonly sink: ReturnType<typeof testSink>; readonly directory: string },
): Promise<{ readonly keg: PouredKeg; readonly bottle: PlannedBottle }> {
  const name = `f${number}`;
  const entry = { mode: 0o755, uid: 0, gid: 0, size: 0, mtimeSeconds: 0 };
  const data = Buffer.from(`program ${name}\n`);
  const members: readonly TarMember[] = [
    { entry: { ...entry, kind: 'directory', path: `${name}/1.0/bin` } },
    { entry: { ...entry, kind: 'file', path: `${name}/1.0/bin/${name}`, size: data.length }, data },
  ];
  const bytes = gzipSync(Buffer.concat([...encodeTar(members)]));
  const bottlePath = join(into.directory, `${name}.tar.gz`);
  await writeFile(bottlePath, bytes);
  // A chain, so that the first dozen is what all others need.
  const dependencies = number === 0 ? [] : [`f${number - 1}`];
  const formula = parseFormula(
    { name, versions: { stable: '1.0' }, bottle: {}, dependencies },
    'x86_64_linux',
  );
  const layer = await into.sink.pour(
    {
      formula: name,
      pkgVersion: '1.0',
      dependencies,
      tab: {},
      bottlePath,
    },
    {},
  );
  const keg: PouredKeg = {
    name,
    version: '1.0',
    pkgVersion: '1.0',
    kegOnly: false,
    postInstall: [],
    aliases: [],
    linkOverwrite: [],
    entries: layer.entries,
    layer,
  };
  return { keg, bottle: { ...plannedBottle(name, { url: 'http://none/', bytes }), formula } };
}

function imageOf(
  built: BuiltPlatform,
  {
    index,
    compression,
  }: {
    readonly index: Pick<BuiltImage['index'], 'digest' | 'size'>;
    readonly compression: Compression;
  },
): BuiltImage {
  return {
    index: { mediaType: mediaTypes.ociIndex, ...index },
    formula: 'f129',
    packageVersion: '1.0',
    compression,
    images: [built],
    timings: { planMs: 0, fetchMs: 0, layersMs: 0, assembleMs: 0, totalMs: 0 },
  };
}
