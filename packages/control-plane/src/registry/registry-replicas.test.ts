import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import { loadKubeconfig } from '@tapline/client';
import { createRegistryClient, type ScrubEvent, startRegistry } from '@tapline/registry';
import { mediaTypes } from '@tapline/oci';
import { eventually, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { rawClient, sha256Of } from '../../../registry/src/testing/raw-client.ts';
import { parseControlPlaneConfiguration } from '../configuration.ts';
import { startControlPlane } from '../start-control-plane.ts';
import { parseRegistryConfiguration } from './registry-configuration.ts';
import { replicaOfMirror, replicaOfPolicy } from './registry-replicas.ts';

const config = Buffer.from('{"a":"config"}');
const layer = Buffer.from('the bytes of a layer');
const digest = sha256Of(layer);

/** Has every blob, and each with the right length and wrong bytes. */
async function startLiar(): Promise<AsyncDisposable & { readonly url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(Buffer.alloc(layer.length, 'x'));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

test('a scrub repairs a blob from the registry that has it, and takes no wrong bytes', async () => {
  await using folder = await temporaryFolder();
  await using site = await startRegistry({
    directory: join(folder.path, 'site'),
    authorize: () => 'allowed',
  });
  await using liar = await startLiar();
  const data = join(folder.path, 'data');
  const registry = parseRegistryConfiguration(
    `
mirrors:
  - { prefix: liar, url: ${liar.url} }
replication:
  - { name: lies, direction: push, url: ${liar.url}, repositories: [team/**], onPush: false }
  - { name: to-site, direction: push, url: ${site.url}, repositories: [team/tool], prefix: copies }
`,
    { path: 'registry.yaml', environment: {} },
  );
  await using plane = await startControlPlane({
    configuration: parseControlPlaneConfiguration(
      {
        TAPLINE_DATA_DIRECTORY: data,
        TAPLINE_PORT: '0',
        HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
      },
      { registry },
    ),
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
  });
  await plane.ready;
  const { ca = '', credentials } = await loadKubeconfig(plane.adminKubeconfigPath);
  if (credentials.kind !== 'certificate') throw new Error('no certificate');
  const tls = { ca, cert: credentials.certificate, key: credentials.key };
  await using client = createRegistryClient({ baseUrl: plane.url, tls });
  await using source = await startRegistry({
    directory: join(folder.path, 'source'),
    authorize: () => 'allowed',
  });
  const raw = rawClient(source.url);
  for (const bytes of [config, layer]) await raw.pushBlob('a', bytes);
  await raw.pushManifest('a', 'v1', [config, layer]);
  await using pushed = createRegistryClient({ baseUrl: source.url });
  const manifest = await pushed.manifest('a', 'v1');
  for (const repository of ['team/tool', 'team/other']) {
    for (const bytes of [config, layer]) {
      await client.pushBlob(repository, {
        digest: sha256Of(bytes),
        size: bytes.length,
        async *open() {
          yield await Promise.resolve(bytes);
        },
      });
    }
    await client.pushManifest(repository, {
      reference: 'v1',
      mediaType: mediaTypes.ociManifest,
      bytes: manifest.bytes,
    });
  }
  await using there = createRegistryClient({ baseUrl: site.url });
  await eventually('the image is at the other site', async () => {
    return (await there.resolve('copies/team/tool', 'v1')) !== undefined;
  });

  const file = join(data, 'registry/content/blobs/sha256', digest.slice('sha256:'.length));
  await writeFile(file, 'THE BYTES OF A LAYER');
  expect(await scrub()).toMatchObject([
    { kind: 'damaged', digest, outcome: 'repaired', replica: site.url },
    { kind: 'done', damaged: 1, repaired: 1 },
  ]);
  expect(liar.asked).toEqual([expect.stringContaining(`/blobs/${digest}`)]);
  expect(await readFile(file)).toEqual(layer);
  expect(await scrub()).toMatchObject([{ kind: 'done', damaged: 0, missing: 0 }]);

  // Where nobody has it, nobody's other bytes stand in for it.
  await site[Symbol.asyncDispose]();
  await writeFile(file, 'THE BYTES OF A LAYER');
  expect(await scrub()).toMatchObject([
    {
      kind: 'damaged',
      outcome: 'withdrawn',
      reason: expect.stringContaining(`${liar.url}: `) as string,
    },
    { kind: 'done', damaged: 1, repaired: 0 },
  ]);
  await expect(readFile(file)).rejects.toThrow('ENOENT');

  async function scrub(): Promise<readonly ScrubEvent[]> {
    const { Agent, request } = await import('node:https');
    const agent = new Agent({ ...tls });
    const text = await new Promise<string>((resolve, reject) => {
      const url = `${plane.url}/registry/v1/scrub?repair=true`;
      request(url, { method: 'POST', agent }, (response) => {
        response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject);
      })
        .on('error', reject)
        .end();
    });
    agent.destroy();
    const lines = text.trim().split('\n');
    return lines.map((line) => JSON.parse(line) as ScrubEvent);
  }
});

test('only what a policy copies is asked for, under the name that it has there', async () => {
  const asked: string[] = [];
  const client = {
    async *blob(repository: string) {
      asked.push(repository);
      yield await Promise.resolve(layer);
    },
    manifest: () => Promise.reject(new Error('no manifests here')),
  };
  const repositories = ['team/tool', 'private', 'in/base/jq', 'hub/library/jq'];
  const replicas = [
    replicaOfPolicy(
      { direction: 'push', prefix: 'copies/', repositories: ['team/**'], url: 'u' },
      client,
    ),
    replicaOfPolicy(
      { direction: 'pull', prefix: 'in/', repositories: ['base/*'], url: 'u' },
      client,
    ),
    replicaOfMirror({ prefix: 'hub', url: 'u' }, client),
  ];
  for (const replica of replicas) {
    for (const repository of repositories) {
      const blob = { digest, size: layer.length, repositories: [repository] };
      await Readable.from(replica.fetch(blob, {}))
        .toArray()
        .catch(() => undefined);
    }
  }
  expect(asked).toEqual(['copies/team/tool', 'base/jq', 'library/jq']);
});
