import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Rng, seededRng } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { bundlePrograms, eventually, startProcess, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { type RawClient, rawClient, sha256Of } from './testing/raw-client.ts';

const sources = {
  server: fileURLToPath(new URL('testing/registry-server-process.ts', import.meta.url)),
  'catalog-thread': fileURLToPath(new URL('catalog/catalog-thread.ts', import.meta.url)),
};
const kills = Number(process.env['TAPLINE_REGISTRY_KILLS'] ?? 24);

/** What the registry answered, and so has to have after any crash. */
interface Answered {
  readonly blobs: Map<Digest, Buffer>;
  readonly tags: Map<string, Digest>;
  readonly deleted: Set<Digest>;
  /** Where uploads stood when they were last answered, and what was sent to them. */
  readonly uploads: Map<string, Buffer>;
}

function randomBytes(rng: Rng, size: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) bytes[at] = Math.floor(rng() * 256);
  return bytes;
}

describe('a registry killed with SIGKILL during pushes, deletes and collections', () => {
  test(`has all that it answered, after each of ${kills} kills`, { timeout: 240_000 }, async () => {
    await using programs = await bundlePrograms(sources);
    const program = join(programs.path, 'server.js');
    await using folder = await temporaryFolder();
    const rng = seededRng(42);
    const answered: Answered = {
      blobs: new Map(),
      tags: new Map(),
      deleted: new Set(),
      uploads: new Map(),
    };
    const options = JSON.stringify({ collects: true, graceMs: 60_000 });
    for (let round = 0; round <= kills; round += 1) {
      await using server = await startProcess(process.execPath, [program, folder.path, options], {
        readyLine: /listening (\d+)/,
      });
      const client = rawClient(`http://127.0.0.1:${server.ready?.[1] ?? ''}`);
      await check(client, answered);
      if (round === kills) break;
      const killed = new AbortController();
      const work = [1, 2, 3].map((worker) =>
        push(client, answered, { rng, name: `r${worker}`, signal: killed.signal }),
      );
      // Somewhere after some answers: on a busy machine a time would hit nothing.
      const before = answered.blobs.size;
      const more = 1 + Math.floor(rng() * 6);
      await eventually('pushes are answered', () => answered.blobs.size >= before + more);
      await new Promise((resolve) => {
        setTimeout(resolve, rng() * 30);
      });
      killed.abort();
      server.kill('SIGKILL');
      await server.exited;
      await Promise.all(work);
    }
    expect(answered.blobs.size).toBeGreaterThan(kills);
    expect(answered.tags.size).toBeGreaterThan(0);
    expect(answered.deleted.size).toBeGreaterThan(0);
  });
});

/** Pushes, and deletes some of it again, until the connection is gone. */
async function push(
  client: RawClient,
  answered: Answered,
  options: { readonly rng: Rng; readonly name: string; readonly signal: AbortSignal },
): Promise<void> {
  const { rng, name, signal } = options;
  try {
    while (!signal.aborted) {
      const layer = randomBytes(rng, 1 + Math.floor(rng() * 20_000));
      const response = await client.pushBlob(name, layer);
      await response.arrayBuffer();
      if (response.status === 201) answered.blobs.set(sha256Of(layer), layer);
      const tag = `t${Math.floor(rng() * 1e9)}`;
      const pushed = await client.pushManifest(name, tag, [layer]);
      if (pushed.status === 201) answered.tags.set(`${name}:${tag}`, pushed.digest);
      const location = await client.openUpload(name);
      const chunk = await fetch(client.at(location), { method: 'PATCH', body: layer });
      await chunk.arrayBuffer();
      if (chunk.status === 202) answered.uploads.set(location, layer);
      if (rng() < 0.7) continue;
      // Not answered yet, and so it may be there or not.
      answered.tags.delete(`${name}:${tag}`);
      const gone = await fetch(client.at(`/v2/${name}/manifests/${pushed.digest}`), {
        method: 'DELETE',
      });
      if (gone.status === 202) answered.deleted.add(pushed.digest);
    }
  } catch {
    // Killed: nothing of what was not answered is expected.
  }
}

async function check(client: RawClient, answered: Answered): Promise<void> {
  for (const [name, digest] of answered.tags) {
    const [repository = '', tag = ''] = name.split(':');
    const response = await fetch(client.at(`/v2/${repository}/manifests/${tag}`));
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(`${name} ${response.status} ${sha256Of(bytes)}`).toBe(`${name} 200 ${digest}`);
    const { config } = JSON.parse(bytes.toString()) as { config: { digest: Digest } };
    const blob = await fetch(client.at(`/v2/${repository}/blobs/${config.digest}`));
    expect(sha256Of(Buffer.from(await blob.arrayBuffer()))).toBe(config.digest);
  }
  for (const digest of answered.deleted) {
    for (const repository of ['r1', 'r2', 'r3']) {
      const { status } = await fetch(client.at(`/v2/${repository}/manifests/${digest}`), {
        method: 'HEAD',
      });
      expect(status).toBe(404);
    }
  }
  // Uploads are finished after the crash: what was answered of them is in the blob.
  for (const [location, bytes] of answered.uploads) {
    const status = await fetch(client.at(location));
    expect(status.status).toBe(204);
    const last = Math.max(bytes.length - 1, 0);
    expect(status.headers.get('range')).toBe(`0-${last}`);
    const done = await fetch(client.at(`${location}?digest=${sha256Of(bytes)}`), { method: 'PUT' });
    expect(done.status).toBe(201);
  }
  answered.uploads.clear();
}
