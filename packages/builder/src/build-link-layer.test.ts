import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseFormula } from '@tapline/brew';
import { applyLayers, encodeTar, TarDecoder, type TarEntry, type TarMember } from '@tapline/oci';
import { FileBlobStore } from '@tapline/registry';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { buildLinkLayer, type LinkLayer, type PouredKeg } from './build-link-layer.ts';
import { readAll } from './testing/read-all.ts';
import { testSink } from './testing/test-sink.ts';

const prefix = 'home/linuxbrew/.linuxbrew';
const keg = `${prefix}/Cellar/nginx/1.0`;

function member(path: string, content: string): TarMember {
  const data = Buffer.from(content);
  const entry = { kind: 'file', path, mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 9 } as const;
  return { entry: { ...entry, size: data.length }, data };
}

const bottle: readonly TarMember[] = [
  member('nginx/1.0/.bottle/etc/nginx.conf', 'prefix @@HOMEBREW_PREFIX@@'),
  member('nginx/1.0/html/index.html', 'hello'),
  member('nginx/1.0/share/a', 'same'),
  {
    entry: {
      ...member('nginx/1.0/share/b', '').entry,
      kind: 'hardlink',
      linkTarget: 'nginx/1.0/share/a',
    },
  },
];

interface Built extends LinkLayer {
  /** The link layer's entries below the prefix that are files or whiteouts, with contents. */
  readonly files: ReadonlyMap<string, string>;
  readonly layers: readonly (readonly TarEntry[])[];
}

async function build(steps: readonly unknown[]): Promise<Built> {
  await using folder = await temporaryFolder();
  const bottlePath = join(folder.path, 'bottle.tar.gz');
  await writeFile(bottlePath, gzipSync(Buffer.concat([...encodeTar(bottle)])));
  const store = await FileBlobStore.open(join(folder.path, 'store'));
  const sink = testSink(store);
  const layer = await sink.pour(
    {
      formula: 'nginx',
      pkgVersion: '1.0',
      dependencies: [],
      tab: {},
      bottlePath,
    },
    {},
  );
  const formula = parseFormula(
    { name: 'nginx', versions: { stable: '1.0' }, bottle: {}, post_install_steps: steps },
    'x86_64_linux',
  );
  const poured: PouredKeg = {
    ...formula,
    version: '1.0',
    pkgVersion: '1.0',
    entries: layer.entries,
    layer,
  };
  const links = await buildLinkLayer(sink, [poured], {});
  const files = new Map<string, string>();
  const layers: TarEntry[][] = [];
  for (const { digest } of [layer, links.layer]) {
    const entries: TarEntry[] = [];
    for (const event of new TarDecoder().push(gunzipSync(await readAll(store.read(digest))))) {
      if (event.kind === 'entry') entries.push(event.entry);
      const path = entries.at(-1)?.path ?? '';
      if (event.kind === 'data' && layers.length === 1) {
        files.set(path, Buffer.from(event.bytes).toString());
      }
    }
    layers.push(entries);
  }
  return { ...links, files, layers };
}

test('steps that touch files are part of the link layer, and take from the layers below', async () => {
  const { files, layers, leftOut } = await build([
    {
      type: 'move',
      source: { base: 'prefix', path: 'html' },
      target: { base: 'var', path: 'www' },
      overwrite: true,
    },
    {
      type: 'inreplace',
      path: { base: 'etc', path: 'nginx.conf' },
      before: 'prefix ',
      after: 'root ',
    },
    {
      type: 'copy',
      source: { base: 'share', path: 'b' },
      target: { base: 'var', path: 'linked' },
    },
  ]);
  expect(leftOut).toEqual([]);
  expect(files.get(`${prefix}/var/www/index.html`)).toBe('hello');
  expect(files.get(`${prefix}/etc/nginx.conf`)).toBe('root /home/linuxbrew/.linuxbrew');
  expect(files.get(`${prefix}/var/linked`)).toBe('same');
  const whole = applyLayers(layers);
  expect(whole.has(`${keg}/html`)).toBe(false);
  expect(whole.get(`${keg}/share/b`)?.entry).toMatchObject({
    kind: 'hardlink',
    linkTarget: `${keg}/share/a`,
  });
  expect(whole.get(`${prefix}/var/www/index.html`)?.entry).toMatchObject({ uid: 65_532 });
});

test('without steps, and with steps that change nothing, the layer is the same', async () => {
  const plain = await build([]);
  const touched = await build([
    { type: 'touch', path: { base: 'prefix', path: 'html/index.html' } },
  ]);
  expect(touched.layer.digest).toBe(plain.layer.digest);
});

test('what is left out is said', async () => {
  const { leftOut } = await build([{ type: 'run', command: '/bin/true' }]);
  expect(leftOut).toEqual([{ formula: 'nginx', step: 'run', why: 'runs a program' }]);
});
