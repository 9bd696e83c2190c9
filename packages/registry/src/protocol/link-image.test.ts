import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, systemClock } from '@tapline/base';
import { type Digest, mediaTypes } from '@tapline/oci';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FileBlobStore } from '../storage/file-blob-store.ts';
import { createRegistryServer, type RegistryServer } from './registry-server.ts';

describe('RegistryServer.link', () => {
  let directory: string;
  let blobs: FileBlobStore;
  let registry: RegistryServer;
  let server: Server;
  let url: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tapline-link-'));
    blobs = await FileBlobStore.open(join(directory, 'content'));
    const authorize = () => 'allowed' as const;
    registry = await createRegistryServer({
      blobs,
      directory,
      authorize,
      log: silentLog,
      clock: systemClock,
    });
    server = createServer((request, response) => registry.handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await registry[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function put(bytes: Uint8Array): Promise<{ digest: Digest; size: number }> {
    await using writer = await blobs.openWriter();
    await writer.write(bytes);
    return await writer.commit();
  }

  it('serves index, manifest and blobs of an image that only the store had', async () => {
    const config = await put(Buffer.from('{}'));
    const layer = await put(Buffer.from('layer'));
    const manifest = await put(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
          layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
        }),
      ),
    );
    const index = await put(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociIndex,
          manifests: [{ mediaType: mediaTypes.ociManifest, ...manifest }],
        }),
      ),
    );
    expect((await fetch(`${url}/v2/jq/manifests/1.7.1`)).status).toBe(404);
    await registry.link({ repository: 'jq', digest: index.digest, tag: '1.7.1' });
    const found = await fetch(`${url}/v2/jq/manifests/1.7.1`);
    expect(found.headers.get('docker-content-digest')).toBe(index.digest);
    expect((await fetch(`${url}/v2/jq/manifests/${manifest.digest}`)).status).toBe(200);
    expect(await (await fetch(`${url}/v2/jq/blobs/${layer.digest}`)).text()).toBe('layer');
    expect((await fetch(`${url}/v2/other/blobs/${layer.digest}`)).status).toBe(404);
  });

  it('refuses an image whose layer the store lacks, and serves nothing of it', async () => {
    const config = await put(Buffer.from('{}'));
    const digest = `sha256:${'a'.repeat(64)}`;
    const manifest = await put(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
          layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 5 }],
        }),
      ),
    );
    await expect(
      registry.link({ repository: 'jq', digest: manifest.digest }),
    ).rejects.toMatchObject({ code: 'manifest_blob_unknown' });
    expect((await fetch(`${url}/v2/jq/blobs/${config.digest}`)).status).toBe(404);
  });
});
