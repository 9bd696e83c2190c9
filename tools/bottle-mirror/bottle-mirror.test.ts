import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

import { temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';

import { debianUnavailable } from '../debian/debian-unavailable.ts';
import { runProgram } from '../debian/run-program.ts';
import { type BottleMirrorOptions, startBottleMirror } from './bottle-mirror.ts';
import { readElfFacts } from './read-elf-facts.ts';

const reason = await debianUnavailable();

const jqOnly = {
  formulae: ['jq'],
  platforms: ['x86_64_linux'],
} satisfies BottleMirrorOptions;

const token = { authorization: 'Bearer QQ==' };

interface FormulaDocument {
  readonly dependencies: readonly string[];
  readonly bottle: {
    readonly stable?: { readonly files: Record<string, { url: string; sha256: string }> };
  };
}

interface Manifest {
  readonly manifests: readonly { digest: string; annotations: Record<string, string> }[];
  readonly config: { digest: string };
  readonly layers: readonly { digest: string; size: number }[];
  readonly annotations: Record<string, string>;
}

async function getJson<T>(url: string, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(url, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

async function bottleUrl(mirror: { url: string }, formula = 'jq'): Promise<string> {
  const document = await getJson<FormulaDocument>(`${mirror.url}/api/formula/${formula}.json`);
  const url = document.bottle.stable?.files['x86_64_linux']?.url ?? '';
  // What HOMEBREW_ARTIFACT_DOMAIN makes a client do.
  return url.replace('https://ghcr.io', mirror.url);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.skipIf(reason !== undefined)(`bottle mirror ${reason ?? ''}`, () => {
  test('a bottle has the digest, the layout and the placeholders that Homebrew gives it', async () => {
    await using mirror = await startBottleMirror(jqOnly);
    await using folder = await temporaryFolder();
    const url = await bottleUrl(mirror);
    const response = await fetch(url, { headers: token });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(url).toMatch(`/v2/homebrew/core/jq/blobs/sha256:${sha256(bytes)}`);

    const archive = join(folder.path, 'jq.tar.gz');
    await writeFile(archive, bytes);
    const listing = await runProgram('tar', ['--list', '--numeric-owner', '-vzf', archive]);
    const lines = listing.trim().split('\n');
    const names = lines.map((line) =>
      line.replace(/.* \d\d:\d\d /, '').replace(/ (->|link) .*/, ''),
    );
    expect(names).toEqual([...names].toSorted((a, b) => (a < b ? -1 : 1)));
    expect(lines.filter((line) => !line.includes(' 0/0 '))).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining(['jq/1.6/', 'jq/1.6/.brew/jq.rb', 'jq/1.6/bin/jq']),
    );
    expect(names).not.toContain('jq/1.6/INSTALL_RECEIPT.json');

    await runProgram('tar', ['xzf', archive, '-C', folder.path]);
    const [jq, library] = await readElfFacts(folder.path, [
      'jq/1.6/bin/jq',
      'jq/1.6/lib/libjq.so.1',
      'jq/1.6/.brew/jq.rb',
    ]);
    expect(jq?.interpreter).toBe('@@HOMEBREW_PREFIX@@/lib/ld.so');
    expect(jq?.rpath).toBe(
      '@@HOMEBREW_CELLAR@@/jq/1.6/lib:@@HOMEBREW_PREFIX@@/opt/glibc/lib:' +
        '@@HOMEBREW_PREFIX@@/opt/oniguruma/lib:@@HOMEBREW_PREFIX@@/lib',
    );
    expect(library).toMatchObject({ rpath: jq?.rpath, soname: 'libjq.so.1' });
  });

  test('the registry describes its bottles as ghcr.io does', async () => {
    await using mirror = await startBottleMirror({ formulae: ['jq'] });
    const core = `${mirror.url}/v2/homebrew/core`;
    const index = await getJson<Manifest>(`${core}/oniguruma/manifests/6.9.8-1`, token);
    expect(
      index.manifests.map((item) => item.annotations['org.opencontainers.image.ref.name']),
    ).toEqual(['6.9.8.x86_64_linux.1', '6.9.8.arm64_linux.1']);
    for (const { digest, annotations } of index.manifests) {
      const response = await fetch(`${core}/oniguruma/manifests/${digest}`, { headers: token });
      const text = await response.text();
      expect(`sha256:${sha256(Buffer.from(text))}`).toBe(digest);
      expect(response.headers.get('docker-content-digest')).toBe(digest);
      const manifest = JSON.parse(text) as Manifest;
      const [layer] = manifest.layers;
      expect(layer?.digest).toBe(`sha256:${annotations['sh.brew.bottle.digest']}`);
      expect(String(layer?.size)).toBe(annotations['sh.brew.bottle.size']);
      const config = await getJson<{ rootfs: { diff_ids: string[] } }>(
        `${core}/oniguruma/blobs/${manifest.config.digest}`,
        token,
      );
      const blob = await fetch(`${core}/oniguruma/blobs/${layer?.digest}`, { headers: token });
      const tar = new Response(blob.body?.pipeThrough(new DecompressionStream('gzip')));
      expect(config.rootfs.diff_ids).toEqual([
        `sha256:${sha256(new Uint8Array(await tar.arrayBuffer()))}`,
      ]);
    }
    const tab = JSON.parse(index.manifests[1]?.annotations['sh.brew.tab'] ?? '{}') as unknown;
    expect(tab).toMatchObject({ arch: 'arm64', changed_files: ['lib/pkgconfig/oniguruma.pc'] });
  });

  test('answers like its models: token, redirect, ranges, HEAD, ETag, unknown names', async () => {
    await using mirror = await startBottleMirror(jqOnly);
    const url = await bottleUrl(mirror);
    const refused = await fetch(url);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="${mirror.url}/token",service="ghcr.io",scope="repository:homebrew/core/jq:pull"`,
    );
    const redirect = await fetch(url, { headers: token, redirect: 'manual' });
    expect([redirect.status, redirect.headers.has('location')]).toEqual([307, true]);

    const head = await fetch(url, { method: 'HEAD', headers: token });
    const whole = Buffer.from(await (await fetch(url, { headers: token })).arrayBuffer());
    expect(head.headers.get('content-length')).toBe(String(whole.length));
    const part = await fetch(url, { headers: { ...token, range: 'bytes=100-199' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 100-199/${whole.length}`);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(100, 200));
    const beyond = await fetch(url, { headers: { ...token, range: `bytes=${whole.length}-` } });
    expect(beyond.status).toBe(416);

    const api = `${mirror.url}/api/formula/jq.json`;
    const first = await fetch(api);
    await first.arrayBuffer();
    const again = await fetch(api, {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);

    const statuses = [
      `${mirror.url}/api/formula/nothing.json`,
      `${mirror.url}/v2/homebrew/core/nothing/manifests/1`,
      `${mirror.url}/v2/homebrew/core/jq/manifests/0.1`,
      `${mirror.url}/v2/homebrew/core/jq/blobs/sha256:${'0'.repeat(64)}`,
      `${mirror.url}/elsewhere`,
    ].map(async (path) => (await fetch(path, { headers: token })).status);
    expect(await Promise.all(statuses)).toEqual([404, 404, 404, 404, 404]);
    const flat = await fetch(`${mirror.url}/bottles/jq-1.6.x86_64_linux.bottle.tar.gz`);
    expect(Buffer.from(await flat.arrayBuffer())).toEqual(whole);
    const post = await fetch(api, { method: 'POST' });
    expect(post.status).toBe(405);
  });

  test('the whole API holds every dependency it names, and the signed form says the same', async () => {
    await using mirror = await startBottleMirror({ ...jqOnly, formulae: ['bash'] });
    const all = await getJson<(FormulaDocument & { name: string })[]>(
      `${mirror.url}/api/formula.json`,
    );
    const names = all.map(({ name }) => name);
    expect(names).toEqual(['bash', 'gcc', 'glibc', 'ncurses']);
    expect(all.flatMap(({ dependencies }) => dependencies)).toEqual(['ncurses']);
    const signed = await getJson<{ payload: string }>(`${mirror.url}/api/formula.jws.json`);
    expect(JSON.parse(signed.payload)).toEqual(all);
    expect(await readFile(mirror.publicKeyPath, 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  });

  test('the same packages give the same bytes', { timeout: 120_000 }, async () => {
    await using one = await temporaryFolder();
    await using other = await temporaryFolder();
    const urls = [one, other].map(async ({ path }) => {
      await using mirror = await startBottleMirror({ ...jqOnly, cache: path });
      const digests = mirror.formulae.map((name) => bottleUrl(mirror, name));
      return (await Promise.all(digests)).map((url) => url.replace(mirror.url, ''));
    });
    const [first, second] = await Promise.all(urls);
    expect(first).toHaveLength(4);
    expect(first).toEqual(second);
  });

  test('one bottle serves all platforms where nothing in it depends on one', async () => {
    await using mirror = await startBottleMirror({ formulae: ['ca-certificates'] });
    const document = await getJson<FormulaDocument>(
      `${mirror.url}/api/formula/ca-certificates.json`,
    );
    expect(Object.keys(document.bottle.stable?.files ?? {})).toEqual(['all']);
    const { sha256: digest = '' } = document.bottle.stable?.files['all'] ?? {};
    const core = `${mirror.url}/v2/homebrew/core/ca-certificates`;
    const index = await getJson<Manifest>(`${core}/manifests/20230311`, token);
    expect(index.manifests).toHaveLength(1);
    expect(index.manifests[0]).not.toHaveProperty('platform');
    expect(index.manifests[0]?.annotations).toMatchObject({
      'org.opencontainers.image.ref.name': '20230311.all',
      'sh.brew.bottle.digest': digest,
    });
  });

  test('bottles keep hard links, configuration and, some of them, their receipt', async () => {
    const formulae = ['bash', 'bzip2', 'oniguruma'];
    await using mirror = await startBottleMirror({ ...jqOnly, formulae });
    await using folder = await temporaryFolder();
    async function listing(formula: string): Promise<string> {
      const response = await fetch(await bottleUrl(mirror, formula), { headers: token });
      const archive = join(folder.path, `${formula}.tar.gz`);
      await writeFile(archive, Buffer.from(await response.arrayBuffer()));
      return await runProgram('tar', ['tvzf', archive]);
    }
    expect(await listing('bzip2')).toContain(
      'bzip2/1.0.8/bin/bzip2 link to bzip2/1.0.8/bin/bunzip2',
    );
    expect(await listing('bash')).toContain(' bash/5.2.15/.bottle/etc/bash.bashrc\n');
    expect(await listing('oniguruma')).toContain(' oniguruma/6.9.8/INSTALL_RECEIPT.json\n');
  });

  test('refuses a formula it does not have', async () => {
    const starting = startBottleMirror({ ...jqOnly, formulae: ['jq', 'no-such-formula'] });
    await expect(starting).rejects.toMatchObject({
      code: 'formula_unknown',
      message: 'the mirror has no formula no-such-formula',
    });
  });
});

describe.skipIf(reason !== undefined)(`faults of the bottle mirror ${reason ?? ''}`, () => {
  test('wrong-bytes: the length is right, the digest is not', async () => {
    const faults = [{ kind: 'wrong-bytes', formula: 'jq' }] as const;
    await using mirror = await startBottleMirror({ ...jqOnly, faults });
    const url = await bottleUrl(mirror);
    const head = await fetch(url, { method: 'HEAD', headers: token });
    const bytes = Buffer.from(await (await fetch(url, { headers: token })).arrayBuffer());
    expect(String(bytes.length)).toBe(head.headers.get('content-length'));
    expect(url).not.toMatch(sha256(bytes));
  });

  test('truncated: the connection ends early', async () => {
    const faults = [{ kind: 'truncated', formula: 'jq', bytes: 1000 }] as const;
    await using mirror = await startBottleMirror({ ...jqOnly, faults });
    const response = await fetch(await bottleUrl(mirror), { headers: token });
    await expect(response.arrayBuffer()).rejects.toThrow(/terminated/);
  });

  test('stall: some bytes come, then nothing', async () => {
    const faults = [{ kind: 'stall', formula: 'jq', bytes: 1000 }] as const;
    await using mirror = await startBottleMirror({ ...jqOnly, faults });
    const url = (await bottleUrl(mirror))
      .replace('/v2/homebrew/core', '/storage')
      .replace('/blobs', '');
    const asked = request(url, { headers: token }).end();
    const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
    let received = 0;
    response.on('data', (chunk: Buffer) => (received += chunk.length));
    response.on('error', () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(received).toBe(1000);
    asked.destroy();
  });

  test('server-error: the first requests fail, the next does not', async () => {
    const faults = [{ kind: 'server-error', formula: 'jq', status: 503, times: 2 }] as const;
    await using mirror = await startBottleMirror({ ...jqOnly, faults });
    const url = await bottleUrl(mirror);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const response = await fetch(url, { headers: token });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    expect(statuses).toEqual([503, 503, 200]);
  });

  test('no-bottle, extra-dependency and hostile-entry change what is published', async () => {
    await using cache = await temporaryFolder();
    const faults = [
      { kind: 'no-bottle', formula: 'glibc', platform: 'x86_64_linux' },
      { kind: 'extra-dependency', formula: 'oniguruma', dependency: 'jq' },
      { kind: 'hostile-entry', formula: 'jq', entry: 'path-traversal' },
    ] as const;
    await using mirror = await startBottleMirror({ ...jqOnly, faults, cache: cache.path });
    const glibc = await getJson<FormulaDocument>(`${mirror.url}/api/formula/glibc.json`);
    expect(glibc.bottle.stable).toBeUndefined();
    const oniguruma = await getJson<FormulaDocument>(`${mirror.url}/api/formula/oniguruma.json`);
    expect(oniguruma.dependencies).toEqual(['jq']);
    const url = await bottleUrl(mirror);
    const bytes = Buffer.from(await (await fetch(url, { headers: token })).arrayBuffer());
    expect(url).toMatch(sha256(bytes));
    const index = await getJson<Manifest>(`${mirror.url}/v2/homebrew/core/jq/manifests/1.6`, token);
    expect(index.manifests[0]?.annotations['sh.brew.bottle.digest']).toBe(sha256(bytes));
  });
});
