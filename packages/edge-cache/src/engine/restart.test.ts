import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually, startProcess, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { startOrigin } from '../testing/start-origin.ts';

const program = fileURLToPath(new URL('../testing/edge-process.ts', import.meta.url));
const kills = Number(process.env['TAPLINE_EDGE_KILLS'] ?? 2);

function startEdge(
  folder: string,
  origin: string,
  before: readonly string[] = [],
): ReturnType<typeof startProcess> {
  const all = [...before, process.execPath, program, folder, origin];
  return startProcess(all[0] ?? '', all.slice(1), { readyLine: /listening (\d+)/ });
}

test(`after each of ${kills} kills it serves what it kept, and nothing that was purged`, async () => {
  await using folder = await temporaryFolder();
  let version = 0;
  await using origin = await startOrigin((request, response) => {
    version += 1;
    response.setHeader('cache-control', 'max-age=3600');
    response.setHeader('xkey', request.url?.startsWith('/p') === true ? 'purged' : 'kept');
    response.end(`${request.url} ${version} ${'x'.repeat(5000)}`);
  });
  const kept = new Map<string, string>();
  for (let round = 0; round <= kills; round += 1) {
    await using edge = await startEdge(folder.path, origin.url);
    const url = `http://127.0.0.1:${edge.ready?.[1] ?? ''}`;
    const get = async (target: string): Promise<string> => (await fetch(url + target)).text();
    const asked = origin.asked.length;
    for (const [target, text] of kept) expect(await get(target)).toBe(text);
    expect(origin.asked).toHaveLength(asked);
    const before = await get('/p');
    for (let index = 0; index < 20; index += 1) {
      kept.set(`/${round}/${index}`, await get(`/${round}/${index}`));
    }
    expect(
      (await fetch(`${url}/purge`, { method: 'POST', headers: { 'x-tag': 'purged' } })).status,
    ).toBe(200);
    await eventually('all on disk', async () => Number(await get('/objects')) >= kept.size);
    edge.kill('SIGKILL');
    await edge.exited;
    await using again = await startEdge(folder.path, origin.url);
    const after = await (await fetch(`http://127.0.0.1:${again.ready?.[1] ?? ''}/p`)).text();
    expect(after).not.toBe(before);
  }
});

test('what is damaged on disk is fetched again', async () => {
  await using folder = await temporaryFolder();
  await using origin = await startOrigin((request, response) => {
    response.setHeader('cache-control', 'max-age=3600');
    response.end(`${request.url} ${'x'.repeat(50_000)}`);
  });
  {
    await using edge = await startEdge(folder.path, origin.url);
    const url = `http://127.0.0.1:${edge.ready?.[1] ?? ''}`;
    for (const target of ['/a', '/b']) await (await fetch(url + target)).text();
    await eventually(
      'both on disk',
      async () => Number(await (await fetch(`${url}/objects`)).text()) >= 2,
    );
  }
  const path = join(
    folder.path,
    (await readdir(folder.path)).find((name) => name.endsWith('.seg')) ?? '',
  );
  const bytes = await readFile(path);
  bytes[25_000] = (bytes[25_000] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await using again = await startEdge(folder.path, origin.url);
  const url = `http://127.0.0.1:${again.ready?.[1] ?? ''}`;
  for (const target of ['/a', '/b']) {
    expect(await (await fetch(url + target)).text()).toBe(`${target} ${'x'.repeat(50_000)}`);
  }
  expect(origin.asked).toHaveLength(3);
});

const canMount =
  process.platform === 'linux' && spawnSync('unshare', ['--mount', 'true']).status === 0;

describe.skipIf(!canMount)('a full disk (needs a mount namespace)', () => {
  test('costs room in the cache and no answer', async () => {
    await using folder = await temporaryFolder();
    await using origin = await startOrigin((request, response) => {
      response.setHeader('cache-control', 'max-age=3600');
      response.end(Buffer.alloc(300_000, `${request.url} `));
    });
    const mount = `mount -t tmpfs -o size=6m tmpfs ${folder.path} && exec "$0" "$@"`;
    await using edge = await startEdge(folder.path, origin.url, [
      'unshare',
      '--mount',
      'sh',
      '-c',
      mount,
    ]);
    const url = `http://127.0.0.1:${edge.ready?.[1] ?? ''}`;
    for (let index = 0; index < 60; index += 1) {
      const response = await fetch(`${url}/${index}`);
      const body = Buffer.from(await response.arrayBuffer());
      expect(body.equals(Buffer.alloc(300_000, `/${index} `))).toBe(true);
    }
    const failures = Number(await (await fetch(`${url}/disk-failures`)).text());
    expect(failures).toBeGreaterThan(0);
    // It made room and goes on keeping.
    expect(Number(await (await fetch(`${url}/objects`)).text())).toBeGreaterThan(0);
  });
});
