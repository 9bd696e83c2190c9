import {
  deliveryResource,
  deviceResource,
  type Install,
  installResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceProcess } from './support/device-process.ts';
import { systemUnavailable } from './support/requirements.ts';
import { startSystem, type System } from './support/start-system.ts';

const unavailable = await systemUnavailable();
const serving = ['bash', '-c', 'while :; do read -t 60 <> <(:); done'];

describe.skipIf(unavailable !== undefined)(`a device that is offline ${unavailable ?? ''}`, () => {
  let system: System;
  let here: DeviceProcess;
  let away: DeviceProcess;

  beforeAll(async () => {
    system = await startSystem({ devices: ['here', 'away'], formulae: ['jq', 'bash'] });
    [here, away] = system.devices as [DeviceProcess, DeviceProcess];
  }, 60_000);
  afterAll(() => system[Symbol.asyncDispose](), 60_000);

  async function install(device: string, formula: string): Promise<Install> {
    return await system.controlPlane.client.get(installResource, `${device}.${formula}`);
  }

  async function ready(device: string, formula: string, revision: number): Promise<Install> {
    return await eventually(`${device}.${formula} is ready at ${revision}`, async () => {
      const found = await install(device, formula);
      const { state, observedRevision } = found.status ?? {};
      return state === 'Ready' && observedRevision === revision ? found : undefined;
    });
  }

  test('blocks nobody, and converges when it returns', { timeout: 60_000 }, async () => {
    await away.stop();
    await eventually('the control plane sees it gone', async () => {
      const { status } = await system.controlPlane.client.get(deviceResource, 'away');
      return status?.presence?.connected === false;
    });
    const deploy = await system.tapline(['deploy', 'jq', '--to', 'team=design', '--wait']);
    expect(deploy).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /is ready on 1 device .*1 offline, will converge when they return/,
      ),
    });
    await away.start();
    await ready('away', 'jq', 1);
    await eventually('the delivery counts it', async () => {
      const { status } = await system.controlPlane.client.get(deliveryResource, 'jq');
      return status?.counts?.ready === 2 && status.counts.offline === 0;
    });
    const used = await system.tapline(['exec', 'away.jq', '--', 'jq', '--version']);
    expect(used).toMatchObject({ code: 0, out: 'jq-1.6\n' });
  });

  test('goes back by itself while the control plane is away', { timeout: 60_000 }, async () => {
    const deploy = await system.tapline([
      'deploy',
      'bash',
      '--to',
      'team=design',
      '--wait',
      '--',
      ...serving,
    ]);
    expect(deploy).toMatchObject({ code: 0 });
    const before = here.containers();
    // The check takes its time, in which the control plane goes away; then it fails.
    const health = "bash -c 'read -t 4 <> <(:); exit 7'";
    expect(await system.tapline(['deploy', 'bash', '--health', health])).toMatchObject({ code: 0 });
    await eventually('the new one is started', () =>
      here.containers().some(({ id }) => id.endsWith('.r2')),
    );
    await system.controlPlane.kill();
    await eventually('the old one runs again, alone', () => {
      const [only, ...others] = here.containers();
      return others.length === 0 && only?.status === 'running' && only.id === before[0]?.id;
    });
    await system.controlPlane.start();
    for (const device of ['here', 'away']) {
      const { status } = await eventually(`${device} says so`, async () => {
        const found = await install(device, 'bash');
        return found.status?.state === 'RolledBack' ? found : undefined;
      });
      expect(status).toMatchObject({
        observedRevision: 2,
        active: { revision: 1 },
        error: { code: 'health_check_failed', message: expect.stringContaining('exit code 7') },
      });
    }
  });

  test('keeps its programs over a restart of its agent', { timeout: 60_000 }, async () => {
    const [before] = here.containers();
    await here.kill();
    expect(here.containers()).toMatchObject([{ pid: before?.pid, status: 'running' }]);
    await here.start();
    const inside = await eventually('exec works again', async () => {
      const { code, out } = await system.tapline([
        'exec',
        'here.bash',
        '--',
        'bash',
        '-c',
        'echo $$ in',
      ]);
      return code === 0 ? out : undefined;
    });
    expect(inside).toMatch(/^\d+ in\n$/);
    expect(here.containers()).toMatchObject([{ pid: before?.pid, status: 'running' }]);
  });

  test(
    'starts a killed program again, also without its control plane',
    { timeout: 60_000 },
    async () => {
      await system.controlPlane.stop();
      const [before] = here.containers();
      process.kill(before?.pid ?? 0, 'SIGKILL');
      await eventually('it runs again', () =>
        here.containers().some(({ pid, status }) => status === 'running' && pid !== before?.pid),
      );
      // Killed while the agent is away: seen when it returns.
      await here.stop();
      const [second] = here.containers();
      process.kill(second?.pid ?? 0, 'SIGKILL');
      await here.start();
      await eventually('it runs again', () =>
        here.containers().some(({ pid, status }) => status === 'running' && pid !== second?.pid),
      );
      await system.controlPlane.start();
      const counted = await eventually('the restarts are counted', async () => {
        const { status } = await install('here', 'bash');
        return (status?.restarts ?? 0) >= 2 ? status : undefined;
      });
      // It serves what it went back to, and still says why.
      expect(counted).toMatchObject({
        state: 'RolledBack',
        active: { revision: 1 },
        error: { code: 'health_check_failed' },
      });
    },
  );

  test('gives up what was deleted meanwhile', { timeout: 60_000 }, async () => {
    await away.stop();
    expect(await system.tapline(['delete', 'delivery', 'bash'])).toMatchObject({ code: 0 });
    await eventually('here is done', () => here.containers().length === 0);
    expect(away.containers()).toHaveLength(1);
    await away.start();
    await eventually('away is done', () => away.containers().length === 0);
  });
});
