import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deviceResource } from '@tapline/resources';
import { createIcingaClient, type IcingaClient, parseIcingaName } from '@tapline/monitoring';
import { eventually, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  icingaUnavailable,
  type RunningIcinga,
  startIcinga,
} from '../../packages/monitoring/src/testing/start-icinga.ts';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { startDeviceProcess } from '../support/device-process.ts';
import { runTapline } from '../support/run-tapline.ts';

const unavailable = icingaUnavailable();

describe.skipIf(unavailable !== undefined)(`devices in Icinga ${unavailable ?? ''}`, () => {
  let icinga: RunningIcinga;
  let administrator: IcingaClient;
  let folder: TemporaryFolder;
  let controlPlane: ControlPlaneProcess;

  beforeAll(async () => {
    icinga = await startIcinga();
    administrator = createIcingaClient({ endpoint: icinga.administrator });
    folder = await temporaryFolder();
    const { login, caPem } = icinga.endpoint;
    await writeFile(at('ca.crt'), caPem);
    await writeFile(at('password'), login.kind === 'password' ? login.password : '');
  });
  afterAll(async () => {
    await controlPlane?.[Symbol.asyncDispose]();
    await administrator?.[Symbol.asyncDispose]();
    await icinga?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  function at(name: string): string {
    return join(folder.path, name);
  }

  function tapline(...words: readonly string[]) {
    return runTapline(words, {
      env: { TAPLINE_KUBECONFIG: join(folder.path, 'control-plane', 'admin.kubeconfig') },
    });
  }

  async function hosts(): Promise<Readonly<Record<string, number>>> {
    const found = await administrator.objects.query('hosts', {
      attrs: ['state'],
      filter: 'host.vars.tapline_kind in kinds',
      filterVars: { kinds: ['device', 'node'] },
    });
    const states = found.map(({ name, attrs }): [string, number] => [name, Number(attrs['state'])]);
    return Object.fromEntries(states.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  test(
    'connect tries the account and writes the file, without the secret',
    { timeout: 60_000 },
    async () => {
      const login = ['--username', 'tapline', '--password-file', at('password')];
      const trust = ['--ca-file', at('ca.crt'), '--server-name', 'localhost'];
      const words = [
        'monitor',
        'connect',
        icinga.endpoint.url,
        ...trust,
        '-f',
        at('monitoring.yaml'),
      ];
      const [refused, done] = await Promise.all([
        tapline(...words, '--username', 'nobody', '--password-file', at('password')),
        tapline(...words, ...login),
      ]);
      expect(refused).toMatchObject({
        code: 7,
        err: expect.stringContaining('[icinga_unauthorized]'),
      });
      expect(done).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^Icinga 2\.\d+\.\d+ answers tapline/),
      });
      const text = await readFile(at('monitoring.yaml'), 'utf8');
      expect(text).toContain('file: password');
      expect(text).not.toContain('for tests only');
      expect((await stat(at('monitoring.yaml'))).mode & 0o777).toBe(0o600);
      expect(await tapline(...words, ...login)).toMatchObject({ code: 2 });
    },
  );

  test(
    'devices become hosts at once, also over a crash, and a real one comes and goes',
    { timeout: 120_000 },
    async () => {
      controlPlane = await startControlPlaneProcess(folder.path, {
        TAPLINE_MONITORING_CONFIG: at('monitoring.yaml'),
      });
      const { client } = controlPlane;
      const declare = (name: string) =>
        client.create(deviceResource, {
          metadata: { name },
          spec: { platform: 'linux/amd64', role: 'device' },
        });
      await Promise.all(['ipad-1', 'ipad-2', 'ipad-3'].map(declare));
      await eventually('three hosts that are down', async () => {
        return JSON.stringify(await hosts()) === '{"ipad-1":1,"ipad-2":1,"ipad-3":1}';
      });

      // Killed while it has something to tell.
      await client.delete(deviceResource, 'ipad-2');
      await declare('ipad-4');
      await controlPlane.kill();
      await controlPlane.start();
      await eventually('what was declared, and nothing else', async () => {
        return (
          Object.keys(await hosts())
            .toSorted()
            .join() === 'ipad-1,ipad-3,ipad-4'
        );
      });

      const token = await tapline('token', 'create');
      const server = controlPlane.url;
      const init = { name: 'edge-1', folder: folder.path, server, token: token.out.trim() };
      await using device = await startDeviceProcess(init);
      await eventually('it is up', async () => (await hosts())['edge-1'] === 0);
      const checks = await eventually('its checks are fine', async () => {
        const found = await administrator.objects.query('services', {
          attrs: ['name', 'state'],
          filter: 'host.name == "edge-1"',
        });
        const fine = found.every(({ attrs }) => attrs['state'] === 0);
        return found.length > 0 && fine ? found.map(({ attrs }) => String(attrs['name'])) : false;
      });
      expect(checks.toSorted()).toEqual(['certificate', 'clock', 'disk', 'packages', 'tunnel']);
      await device.kill();
      await eventually('it is down', async () => (await hosts())['edge-1'] === 1);

      const status = await eventually('it is followed', async () => {
        const { out } = await tapline('monitor', 'status');
        // Its events can be five seconds late.
        const isThere = /, 0 with something to do\nfollowed since[^]*edge-1 +down /.test(out);
        return isThere ? out : undefined;
      });
      expect(status).toContain('5 of 5 hosts registered');
    },
  );

  test('a reload of Icinga changes nothing', { timeout: 60_000 }, async () => {
    icinga.reload();
    await eventually('hosts are as they were', async () => Object.keys(await hosts()).length === 4);
    const before = await hosts();
    await administrator.actions.processCheckResult(
      { host: parseIcingaName('ipad-1') },
      { exit_status: 0, plugin_output: 'by hand', performance_data: [] },
    );
    const after = await eventually('the truth', async () => {
      const now = await hosts();
      return now['ipad-1'] === 1 ? now : undefined;
    });
    expect(after).toEqual(before);
  });
});
