import { chmod } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { loadKubeconfig, type NewObjectOf } from '@tapline/client';
import { createRegistryClient } from '@tapline/registry';
import {
  findCondition,
  installResource,
  type Workload,
  workloadResource,
} from '@tapline/resources';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { pushBusyboxImage } from './support/busybox-image.ts';
import { startControlPlaneProcess } from './support/control-plane-process.ts';
import { startDeviceProcess } from './support/device-process.ts';
import { runTapline } from './support/run-tapline.ts';

// A control plane, a node and half a minute: by command; install-ports.test.ts is what always runs.
const missing = [
  ...(process.env['TAPLINE_LONG_TESTS'] === undefined ? ['TAPLINE_LONG_TESTS=1'] : []),
  ...(process.platform === 'linux' && process.getuid?.() === 0 ? [] : ['Linux and root']),
  ...['runc', 'busybox', 'nsenter'].filter((program) => !haveProgram(program)),
];
const unavailable = missing.length === 0 ? undefined : `(needs ${missing.join(', ')})`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.skipIf(unavailable !== undefined)(`images as workloads ${unavailable ?? ''}`, () => {
  test('are run by reference, and replaced without a failed request', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o711);
    await using plane = await startControlPlaneProcess(folder.path, {});
    const env = { TAPLINE_KUBECONFIG: plane.kubeconfig };
    const tapline = async (...words: readonly string[]): Promise<string> => {
      const { code, out, err } = await runTapline(words, { env });
      if (code !== 0) throw new Error(`${words.join(' ')}: ${err}`);
      return out.trim();
    };
    const { ca = '', credentials } = await loadKubeconfig(plane.kubeconfig);
    if (credentials.kind !== 'certificate') throw new Error('no certificate');
    const tls = { ca, cert: credentials.certificate, key: credentials.key };
    await using registry = createRegistryClient({ baseUrl: plane.url, tls });
    for (const [tag, page, command] of [
      ['1', 'one'],
      ['2', 'two'],
      ['broken', 'none', '/bin/busybox sleep 1000'],
    ] as const) {
      const image = {
        repository: 'site/web',
        tag,
        page,
        ...(command !== undefined && { command }),
      };
      await pushBusyboxImage(registry, image);
    }
    const sign = (tag: string): Promise<string> =>
      tapline('image', 'sign', `site/web:${tag}`, '--key', join(plane.data, 'image-keys/key.pem'));
    await Promise.all([sign('1'), sign('2'), sign('broken')]);
    await using node = await startDeviceProcess({
      name: 'n1',
      folder: folder.path,
      server: plane.url,
      token: await tapline('token', 'create', '--role', 'node'),
      flags: ['--runtime', 'runc'],
    });
    const port = await freePort();
    const web: NewObjectOf<typeof workloadResource> = {
      metadata: { name: 'web' },
      spec: {
        image: 'site/web:1',
        ports: [{ port, target: 8080 }],
        health: { http: '/', timeoutSeconds: 6, attempts: 1, intervalSeconds: 1 },
        limits: { memoryBytes: 67_108_864, cpus: 1 },
        replicas: 1,
        resources: { cpus: 0, memoryBytes: 0 },
        moveAfterSeconds: 3,
        atOnce: 1,
        drainSeconds: 60,
      },
    };
    await plane.client.create(workloadResource, web);
    const until = (what: string, done: (one: Workload) => boolean): Promise<Workload> =>
      eventually(
        what,
        async () => {
          const workload = await plane.client.get(workloadResource, 'web');
          return done(workload) ? workload : undefined;
        },
        { withinMs: 30_000 },
      );
    const setImage = (image: string): Promise<unknown> =>
      plane.client.patch(workloadResource, 'web', { kind: 'merge', body: { spec: { image } } });
    const ask = async (): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { connection: 'close' },
      });
      return await response.text();
    };
    await until('it is ready', ({ status }) => status?.counts?.ready === 1);
    expect(await ask()).toBe('one');

    // A request that is under way while everything behind the port changes.
    const kept = connect(port, '127.0.0.1');
    let answer = '';
    kept.setEncoding('latin1').on('data', (text: string) => (answer += text));
    await once(kept, 'connect');
    kept.write('GET / HTTP/1.0\r\n');
    const failures: unknown[] = [];
    const answers: string[] = [];
    const over = new AbortController();
    const load = Array.from({ length: 2 }, async () => {
      while (!over.signal.aborted) {
        await ask().then(
          (text) => answers.push(text),
          (error: unknown) => failures.push(error),
        );
        await systemClock.sleep(5);
      }
    });
    await setImage('site/web:2');
    await eventually('the second answers', async () => (await ask()) === 'two', {
      withinMs: 30_000,
    });
    // The next life of the agent takes up what holds the port, and what it still has to end.
    await node.kill();
    expect(await ask()).toBe('two');
    await node.start();
    const both = await eventually('both run', () => {
      const running = node.containers().filter(({ status }) => status === 'running');
      return running.length === 2 ? running : undefined;
    });
    expect(both).toHaveLength(2);
    kept.write('\r\n');
    await once(kept, 'close');
    expect(answer).toMatch(/one$/);
    await eventually('the first has ended', () => node.containers().length === 1, {
      withinMs: 30_000,
    });

    // One that does not answer never gets the port.
    await setImage('site/web:broken');
    await eventually(
      'it is given up',
      async () => {
        const { items } = await plane.client.list(installResource);
        return items[0]?.status?.state === 'RolledBack';
      },
      { withinMs: 40_000 },
    );
    expect(await ask()).toBe('two');
    over.abort();
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect(new Set(answers)).toEqual(new Set(['one', 'two']));
    const { status } = await plane.client.get(workloadResource, 'web');
    expect(findCondition(status?.conditions, 'Ready')?.status).toBe('False');

    await plane.client.delete(workloadResource, 'web');
    await eventually('nothing runs', () => node.containers().length === 0, { withinMs: 30_000 });
    await expect(ask()).rejects.toThrow('fetch failed');
  }, 120_000);
});
