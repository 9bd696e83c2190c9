import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { type Digest, mediaTypes } from '@tapline/oci';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRegistryClient } from './client/create-registry-client.ts';
import { FileBlobStore } from './storage/file-blob-store.ts';
import { pushImage } from './client/push-image.ts';
import { type RunningRegistry, startRegistry } from './start-registry.ts';

const run = promisify(execFile);
const hasSkopeo = spawnSync('skopeo', ['--version']).status === 0;
const hasPodman = spawnSync('podman', ['--version']).status === 0;

let directory: string;
let registry: RunningRegistry;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-peers-'));
  registry = await startRegistry({ directory, authorize: () => 'allowed' });
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** An OCI image layout with one image of two layers, the second of 3 MiB. */
async function writeLayout(): Promise<{ path: string; store: FileBlobStore; digest: Digest }> {
  const path = join(directory, 'layout');
  const store = await FileBlobStore.open(path);
  const put = async (bytes: Uint8Array): Promise<{ digest: Digest; size: number }> => {
    await using writer = await store.openWriter();
    await writer.write(bytes);
    return await writer.commit();
  };
  const tars = [Buffer.alloc(1024), await tarOfZeros()];
  const layers = [];
  const diffIds = [];
  for (const tar of tars) {
    layers.push({ ...(await put(gzipSync(tar))), mediaType: mediaTypes.ociLayerTarGzip });
    diffIds.push((await put(tar)).digest);
  }
  const config = await put(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Cmd: ['/zeros'] },
        rootfs: { type: 'layers', diff_ids: diffIds },
      }),
    ),
  );
  const manifest = await put(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { ...config, mediaType: mediaTypes.ociConfig },
        layers,
      }),
    ),
  );
  await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const named = {
    ...manifest,
    mediaType: mediaTypes.ociManifest,
    annotations: { 'org.opencontainers.image.ref.name': 'v1' },
  };
  await writeFile(
    join(path, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [named] }),
  );
  return { path, store, digest: manifest.digest };
}

async function tarOfZeros(): Promise<Buffer> {
  const folder = join(directory, 'tree');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'zeros'), Buffer.alloc(3 * 1024 * 1024));
  const { stdout } = await run('tar', ['-C', folder, '-cf', '-', 'zeros'], {
    encoding: 'buffer',
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

describe.skipIf(!hasSkopeo)('skopeo (skipped where it is not installed)', () => {
  test('pushes an image here and takes the same image back', async () => {
    const { path, digest } = await writeLayout();
    const image = `docker://127.0.0.1:${registry.port}/team/zeros:v1`;
    await run('skopeo', ['copy', '--dest-tls-verify=false', `oci:${path}:v1`, image]);
    await using client = createRegistryClient({ baseUrl: registry.url });
    expect((await client.resolve('team/zeros', 'v1'))?.digest).toBe(digest);

    const back = join(directory, 'back');
    await run('skopeo', ['copy', '--src-tls-verify=false', image, `oci:${back}:v1`]);
    const index = JSON.parse(await readFile(join(back, 'index.json'), 'utf8')) as {
      manifests: { digest: string }[];
    };
    expect(index.manifests[0]?.digest).toBe(digest);
  });

  test('inspects what our client pushed, and lists its tags', async () => {
    const { store, digest } = await writeLayout();
    await using client = createRegistryClient({ baseUrl: registry.url });
    await pushImage(client, store, { repository: 'team/zeros', digest, tag: 'v2' });
    const { stdout } = await run('skopeo', [
      'inspect',
      '--tls-verify=false',
      `docker://127.0.0.1:${registry.port}/team/zeros:v2`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ Digest: digest, RepoTags: ['v2'] });
  });
});

describe.skipIf(!hasPodman)('podman (skipped where it is not installed)', () => {
  test('pulls what our client pushed', async () => {
    const { store, digest } = await writeLayout();
    await using client = createRegistryClient({ baseUrl: registry.url });
    await pushImage(client, store, { repository: 'team/zeros', digest, tag: 'v1' });
    const storage = [
      '--root',
      join(directory, 'podman'),
      '--runroot',
      join(directory, 'podman-run'),
      '--storage-driver',
      'vfs',
    ];
    const image = `127.0.0.1:${registry.port}/team/zeros:v1`;
    await run('podman', [...storage, 'pull', '--tls-verify=false', image]);
    const { stdout } = await run('podman', [
      ...storage,
      'image',
      'inspect',
      image,
      '--format',
      '{{.Digest}}',
    ]);
    expect(stdout.trim()).toBe(digest);
  });
});

const survivor = `
import { startRegistry } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
const registry = await startRegistry({ directory: process.argv[1], authorize: () => 'allowed' });
process.stdout.write(registry.url + '\\n');
`;

describe('a registry killed with SIGKILL', () => {
  test('has every write that it answered', async () => {
    const home = join(directory, 'killed');
    const child = execFile(process.execPath, ['--input-type=module', '-e', survivor, home]);
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (line: string) => resolve(line.trim()));
      child.once('exit', (code) => reject(new Error(`exited with ${code}`)));
    });
    const { store, digest } = await writeLayout();
    {
      await using client = createRegistryClient({ baseUrl: url });
      await pushImage(client, store, { repository: 'a', digest, tag: 'v1' });
    }
    const ended = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    child.kill('SIGKILL');
    await ended;

    await using restarted = await startRegistry({ directory: home, authorize: () => 'allowed' });
    await using client = createRegistryClient({ baseUrl: restarted.url });
    const { manifest } = await client.manifest('a', 'v1');
    const layers = manifest.kind === 'manifest' ? manifest.manifest.layers : [];
    expect(layers).toHaveLength(2);
    for (const layer of layers) {
      const bytes = await buffer(client.blob('a', layer));
      expect(bytes.length).toBe(layer.size);
    }
  });
});
