import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadKubeconfig, type NewObjectOf } from '@tapline/client';
import { createRegistryClient } from '@tapline/registry';
import { deviceResource, installResource } from '@tapline/resources';
import {
  eventually,
  haveProgram,
  startProcess,
  temporaryFolder,
  type TemporaryFolder,
} from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from './support/control-plane-process.ts';
import { type DeviceProcess, startDeviceProcess } from './support/device-process.ts';
import { pushSmallImage } from './support/small-image.ts';
import { type CommandResult, runTapline, taplineMain } from './support/run-tapline.ts';

const installOfJq: NewObjectOf<typeof installResource> = {
  metadata: { name: 'edge-1.jq' },
  spec: {
    device: 'edge-1',
    delivery: 'none',
    formula: 'jq',
    version: '1',
    revision: 1,
    image: {
      repository: 'jq',
      digest: `sha256:${'a'.repeat(64)}`,
      platform: 'linux/amd64',
      sizeBytes: 1,
      unpackedBytes: 1,
    },
  },
};

const unavailable = haveProgram('curl') ? undefined : '(needs curl)';
const run = promisify(execFile);

describe.skipIf(unavailable !== undefined)(`ports of devices ${unavailable ?? ''}`, () => {
  const body = randomBytes(4 * 1_048_576);
  const digest = createHash('sha256').update(body).digest('hex');
  let folder: TemporaryFolder;
  let plane: ControlPlaneProcess;
  let device: DeviceProcess;
  /** A program that listens on this machine's loopback interface, which here is the device's, too. */
  let web: Server;
  let port: number;
  let freePort: number;

  beforeAll(async () => {
    folder = await temporaryFolder();
    web = createServer((request, response) => {
      if (request.method === 'POST') request.pipe(response);
      else response.end(body);
    });
    web.listen(0, '127.0.0.1');
    const other = createServer().listen(0, '127.0.0.1');
    await Promise.all([once(web, 'listening'), once(other, 'listening')]);
    ({ port } = web.address() as AddressInfo);
    ({ port: freePort } = other.address() as AddressInfo);
    other.close();
    await once(other, 'close');
    const env = { XDG_CONFIG_HOME: join(folder.path, 'config') };
    plane = await startControlPlaneProcess(folder.path, env);
    const token = (await tapline('token', 'create')).out.trim();
    device = await startDeviceProcess({
      name: 'edge-1',
      folder: folder.path,
      server: plane.url,
      token,
      flags: [
        '--runtime=unconfined',
        `--allow-forward=${port}`,
        `--allow-reverse=${freePort}`,
        '--services-port=0',
        `--files=${join(folder.path, 'shared')}`,
      ],
    });
  }, 60_000);
  afterAll(async () => {
    web.close();
    web.closeAllConnections();
    await device[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  }, 60_000);

  function tapline(...words: readonly string[]): Promise<CommandResult> {
    return runTapline([...words, '--kubeconfig', plane.kubeconfig]);
  }

  async function forward(...words: readonly string[]) {
    const all = [taplineMain, 'forward', 'edge-1', ...words, '--kubeconfig', plane.kubeconfig];
    return await startProcess(process.execPath, all, { readyLine: /^(.+) -> (.+)$/m });
  }

  async function curl(url: string, ...words: readonly string[]): Promise<Buffer> {
    const options = { encoding: 'buffer', maxBuffer: 16 * 1_048_576, timeout: 30_000 } as const;
    return (await run('curl', ['-sS', ...words, url], options)).stdout;
  }

  test('curl reaches what the device allows, many at once, and again when the device is back', async () => {
    await using forwarding = await forward(`0:${port}`);
    const here = `http://${forwarding.ready?.[1]}/`;
    expect(forwarding.ready?.[2]).toBe(`edge-1 port ${port}`);
    const got = await Promise.all(Array.from({ length: 8 }, () => curl(here)));
    expect(new Set(got.map((one) => createHash('sha256').update(one).digest('hex')))).toEqual(
      new Set([digest]),
    );
    expect(String(await curl(here, '--data-binary', 'sent there'))).toBe('sent there');

    await device.kill();
    await device.start();
    await eventually('it is reached again', async () => {
      try {
        return String(await curl(here, '--max-time', '5', '--data', 'back')) === 'back';
      } catch {
        return false;
      }
    });
  }, 90_000);

  test('what the device does not allow is said with its code', async () => {
    const { port: planePort } = new URL(plane.url);
    await using denied = await forward(`0:${planePort}`);
    await expect(curl(`http://${denied.ready?.[1]}/`)).rejects.toThrow('curl');
    await eventually('why', () => denied.output().includes('[forward_denied]'));
  });

  test('programs of the device reach a port here', async () => {
    await using forwarding = await forward('--reverse', `${freePort}:${port}`);
    expect(forwarding.ready?.[1]).toBe(`edge-1 port ${freePort}`);
    expect(String(await curl(`http://127.0.0.1:${freePort}/`, '--data', 'out'))).toBe('out');
    const elsewhere = await tapline('forward', 'edge-1', '--reverse', `80:${port}`);
    expect(elsewhere).toMatchObject({ code: 7, err: expect.stringContaining('[forward_denied]') });
  }, 60_000);

  test('programs of the device reach the control plane by name, as themselves', async () => {
    const context = await loadKubeconfig(plane.kubeconfig);
    if (context.credentials.kind !== 'certificate') throw new Error('no certificate');
    const { certificate: cert, key } = context.credentials;
    const tls = { ca: context.ca ?? '', cert, key };
    await using registry = createRegistryClient({ baseUrl: plane.url, tls });
    for (const repository of ['jq', 'secret']) {
      await pushSmallImage(registry, { repository, tag: 'latest' });
    }
    await plane.client.create(installResource, installOfJq);
    const at = await eventually(
      'it says where',
      () => /by name at 127\.0\.0\.1:(\d+)/.exec(device.output())?.[1],
    );
    const ask = async (name: string, path: string, ...words: readonly string[]) => {
      const options = ['--resolve', `${name}:${at}:127.0.0.1`, '-w', '\\n%{http_code}', ...words];
      return String(await curl(`http://${name}:${at}${path}`, ...options));
    };
    // The device's certificate reads its own images, and is lent for nothing else.
    await eventually('its image', async () =>
      (await ask('registry.tapline', '/v2/jq/tags/list')).endsWith('200'),
    );
    expect(await ask('registry.tapline', '/v2/secret/tags/list')).toMatch(/403$/);
    expect(await ask('registry.tapline', '/v2/jq/blobs/uploads/', '-X', 'POST')).toMatch(/403$/);
    const devices = '/apis/tapline.dev/v1alpha1/devices';
    expect(await ask('registry.tapline', `${devices}/edge-1`)).toMatch(/404$/);
    expect(await ask('api.tapline', `${devices}/edge-1`)).toMatch(/403$/);
    expect(await ask('api.tapline', '/v2/')).toMatch(/404$/);
    expect(await ask('metrics.tapline', '/metrics')).toMatch(/403$/);
    const { out } = await tapline('token', 'create', '--user', 'vic', '--group', 'tapline:viewer');
    const bearer = ['-H', `Authorization: Bearer ${out.trim()}`];
    expect(await ask('api.tapline', devices, ...bearer)).toContain('"edge-1"');
    expect(await ask('metrics.tapline', '/metrics', ...bearer)).toContain('tapline_build_info');
    expect(await ask('metrics.tapline', devices, ...bearer)).toMatch(/404$/);
    expect(await ask('attacker.example', '/v2/')).toMatch(/registry\.tapline.*\n\n421$/);
  }, 60_000);

  test('files of the folder that the device shares are copied both ways', async () => {
    const here = (name: string): string => join(folder.path, name);
    await mkdir(here('shared'));
    await writeFile(here('sent'), body);
    expect(await tapline('cp', here('sent'), 'edge-1:there')).toMatchObject({ code: 0, err: '' });
    expect((await readFile(here('shared/there'))).equals(body)).toBe(true);
    expect(await tapline('cp', 'edge-1:there', here('back'))).toMatchObject({ code: 0, err: '' });
    expect((await readFile(here('back'))).equals(body)).toBe(true);
    const outside = await tapline('cp', 'edge-1:../sent', here('no'));
    expect(outside).toMatchObject({ err: expect.stringContaining('below the shared folder') });
    const missing = await tapline('cp', 'edge-1:missing', here('no'));
    expect(missing).toMatchObject({ err: expect.stringContaining('is not there') });
    expect(await readdir(here('shared'))).toEqual(['there']);
  }, 60_000);

  test('it takes a permission of its own, and the audit log has who asked for which port', async () => {
    const kubeconfig = join(folder.path, 'dana.kubeconfig');
    const admin = JSON.parse(await readFile(plane.kubeconfig, 'utf8')) as object;
    const words = ['forward', 'edge-1', `0:${port}`, '--kubeconfig', kubeconfig];
    const become = async (group: string): Promise<void> => {
      const { out } = await tapline('token', 'create', '--user', 'dana', '--group', group);
      const users = [{ name: 'admin', user: { token: out.trim() } }];
      await writeFile(kubeconfig, JSON.stringify({ ...admin, users }));
    };
    for (const group of ['tapline:operator', 'tapline:viewer']) {
      await become(group);
      const refused = await runTapline(words);
      expect(refused).toMatchObject({ code: 7, err: expect.stringContaining('[forbidden]') });
    }
    await become('tapline:forwarder');
    await using as = await startProcess(process.execPath, [taplineMain, ...words], {
      readyLine: /(\S+) -> /,
    });
    expect(String(await curl(`http://${as.ready?.[1]}/`, '--data', 'in'))).toBe('in');
    const entries = (await readFile(join(plane.data, 'audit', 'audit.jsonl'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('portforward') && line.includes('"dana"'))
      .map((line) => JSON.parse(line) as object);
    expect(entries).toMatchObject([
      { verb: 'create', name: 'edge-1', detail: `connect ${port}`, decision: 'deny', code: 403 },
      { detail: `connect ${port}`, decision: 'deny' },
      { groups: expect.arrayContaining(['tapline:forwarder']), decision: 'allow', code: 200 },
    ]);
    const unknown = await tapline('forward', 'nobody', '80');
    expect(unknown).toMatchObject({ code: 3, err: expect.stringContaining('[not_found]') });
    const { items } = await plane.client.list(deviceResource);
    expect(items).toHaveLength(1);
  }, 60_000);
});
