import { systemClock } from '@tapline/base';
import { mediaTypes } from '@tapline/oci';
import type { ContainerSpec } from '@tapline/runtimes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLocalWorker } from '../../../guest-page/src/testing/open-local-worker.ts';
import { testLayer } from '../../../guest-page/src/testing/test-layer.ts';
import { createPageRuntime, type PageRuntime } from './page-runtime.ts';

let runtime: PageRuntime;
beforeEach(() => {
  runtime = createPageRuntime({
    layers: () => Promise.resolve([{ mediaType: mediaTypes.ociLayerTar, bytes: testLayer() }]),
    openWorker: openLocalWorker,
    machines: 4,
    clock: systemClock,
  });
});
afterEach(() => runtime[Symbol.asyncDispose]());

function specOf(program: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    id: program,
    command: [`/${program}`],
    env: {},
    workingDirectory: '/',
    user: { uid: 0, gid: 0 },
    rootfs: 'page:root',
    hostname: 'page',
    limits: { memoryBytes: 64 * 1024 * 1024 },
    tmpfs: [],
    network: 'none',
    labels: { uid: 'u1', revision: '1' },
    ...more,
  };
}

function collected(): { readonly io: object; readonly text: () => string } {
  const parts: string[] = [];
  const onStdout = (bytes: Uint8Array): void => void parts.push(new TextDecoder().decode(bytes));
  return { io: { onStdout }, text: () => parts.join('') };
}

async function logOf(id: string): Promise<string> {
  const { signal } = new AbortController();
  const path = (await runtime.list()).find((state) => state.id === id)?.logPath;
  let text = '';
  for await (const bytes of runtime.followLog(path, { follow: true, signal, clock: systemClock })) {
    text += new TextDecoder().decode(bytes);
  }
  return text;
}

test('what is run in the foreground has its output and its exit code, and is forgotten', async () => {
  const { io, text } = collected();
  expect(await runtime.run(await runtime.prepare(specOf('says')), io)).toEqual({
    exitCode: 7,
    signal: undefined,
  });
  expect(text()).toBe('hi\n');
  expect(await runtime.list()).toEqual([]);
});

test('what ends by itself is kept with its exit code and its log, until it is removed', async () => {
  await runtime.start(specOf('says'));
  expect(await runtime.wait('says')).toEqual({ exitCode: 7, signal: undefined });
  expect(await runtime.list()).toMatchObject([
    { id: 'says', status: 'stopped', exitCode: 7, labels: { uid: 'u1', revision: '1' } },
  ]);
  expect(await logOf('says')).toBe('hi\n');
  await runtime.start(specOf('says'));
  await runtime.remove('says');
  await runtime.remove('says');
  expect(await runtime.list()).toEqual([]);
});

test('beside what goes on others run; it is stopped, and removed while it runs', async () => {
  await runtime.start(specOf('spins'));
  await expect(runtime.start(specOf('spins'))).rejects.toMatchObject({ code: 'container_exists' });
  const { io, text } = collected();
  expect(await runtime.exec('spins', specOf('says'), io)).toMatchObject({ exitCode: 7 });
  expect(text()).toBe('hi\n');
  const late = runtime.exec('spins', specOf('spins'), { timeoutMs: 50 });
  await expect(late).rejects.toMatchObject({ code: 'run_timeout' });
  const given = new AbortController();
  const ended = runtime.exec('spins', specOf('spins'), { signal: given.signal });
  given.abort(new Error('not wanted'));
  await expect(ended).rejects.toThrow('not wanted');
  expect(await runtime.list()).toMatchObject([{ status: 'running' }]);
  await runtime.stop('spins', { graceMs: 10_000 });
  expect(await runtime.wait('spins')).toMatchObject({ exitCode: 143 });
  await runtime.start(specOf('spins'));
  await runtime.remove('spins');
  await expect(runtime.wait('spins')).rejects.toMatchObject({ code: 'container_unknown' });
});

test('what cannot be started says why', async () => {
  const missing = { code: 'container_start_failed', message: expect.stringContaining('/nothing') };
  await expect(runtime.start(specOf('nothing'))).rejects.toMatchObject(missing);
  await expect(runtime.run(specOf('nothing'))).rejects.toMatchObject(missing);
  await expect(runtime.exec('nothing', specOf('says'))).rejects.toMatchObject({
    code: 'container_unknown',
  });
});

test.each([
  [{ network: 'host' as const }, "the device's network"],
  [{ network: { namespace: 'red' } }, 'namespace red'],
  [{ binds: [{ source: '/etc', path: '/etc', readOnly: true }] }, 'binds /etc'],
])('a page has no %o', async (more, says) => {
  await expect(runtime.start(specOf('says', more))).rejects.toMatchObject({
    code: 'container_invalid',
    message: expect.stringContaining(says),
  });
});
