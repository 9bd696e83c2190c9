import { systemClock } from '@tapline/base';
import { mediaTypes } from '@tapline/oci';
import { afterEach, expect, test } from 'vitest';
import { openLocalWorker } from '../testing/open-local-worker.ts';
import { testLayer } from '../testing/test-layer.ts';
import type { ContainerProgram } from './container-messages.ts';
import { openContainer, type PageContainer } from './open-container.ts';

const program = (name: string): ContainerProgram => ({
  argv: [`/${name}`],
  env: [],
  folder: '/',
  user: { uid: 0, gid: 0 },
});

const open = new Set<PageContainer>();
afterEach(() => {
  for (const container of open) container.end();
  open.clear();
});

function run(name: string, output: string[]) {
  const worker = openLocalWorker();
  const bytes = testLayer();
  const container = openContainer({
    worker,
    machine: {
      layers: [{ mediaType: mediaTypes.ociLayerTar, bytes }],
      hostName: 'page',
      memory: 64 * 1024 * 1024,
      storage: 1024 * 1024,
      threads: 16,
      machines: 4,
    },
    program: program(name),
    onOutput: (stream, shown) => void output.push(`${stream} ${new TextDecoder().decode(shown)}`),
    clock: systemClock,
  });
  open.add(container);
  return { container, worker, bytes };
}

test('runs its first program to the end, which is the container’s', async () => {
  const output: string[] = [];
  const { container, worker, bytes } = run('says', output);
  await container.first.started;
  expect(await container.first.ended).toBe(7);
  expect(output).toEqual(['stdout hi\n']);
  expect(worker.ended).toBe(true);
  // There is one copy of a layer.
  expect(bytes.length).toBe(0);
  const late = container.start(program('says'), () => undefined);
  await expect(late.ended).rejects.toMatchObject({ code: 'guest_ended' });
});

test('runs others beside it, and is ended from outside', async () => {
  const { container, worker } = run('spins', []);
  await container.first.started;
  const output: string[] = [];
  const other = container.start(program('says'), (stream, shown) => {
    output.push(`${stream} ${new TextDecoder().decode(shown)}`);
  });
  expect(await other.ended).toBe(7);
  expect(output).toEqual(['stdout hi\n']);
  const missing = container.start(program('nothing'), () => undefined);
  await expect(missing.started).rejects.toMatchObject({ code: 'program_missing' });
  const killed = container.start(program('spins'), () => undefined);
  await killed.started;
  killed.kill();
  expect(await killed.ended).toBe(137);
  expect(worker.ended).toBe(false);
  container.end();
  await expect(container.first.ended).rejects.toMatchObject({ code: 'guest_ended' });
  expect(worker.ended).toBe(true);
});

test('what cannot be started is said with its code', async () => {
  const { container, worker } = run('nothing', []);
  await expect(container.first.started).rejects.toMatchObject({ code: 'program_missing' });
  expect(worker.ended).toBe(true);
});

test('a signal ends the first program as a shell says it', async () => {
  const { container } = run('spins', []);
  await container.first.started;
  container.first.signal(15);
  expect(await container.first.ended).toBe(143);
});
