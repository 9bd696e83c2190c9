import { existsSync } from 'node:fs';
import { deviceResource, installResource } from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { systemUnavailable } from './support/requirements.ts';
import { startSystem } from './support/start-system.ts';

const multiarch = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
// The library and not the program, which would stand between the test and the agent.
const library = `/usr/lib/${multiarch}/faketime/libfaketime.so.1`;
const unavailable =
  (await systemUnavailable()) ?? (existsSync(library) ? undefined : '(needs libfaketime)');

describe.skipIf(unavailable !== undefined)(`a clock that is wrong ${unavailable ?? ''}`, () => {
  test.each([
    ['fast', '+1h', 3600],
    ['slow', '-1h', -3600],
  ])(
    'by an hour (%s) keeps no device from joining and measuring',
    { timeout: 60_000 },
    async (name, offset, seconds) => {
      await using system = await startSystem();
      const { client } = system.controlPlane;
      const device = await system.addDevice({
        name,
        env: { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
      });
      const { status } = await client.get(deviceResource, name);
      expect(Math.abs((status?.clockSkewSeconds ?? 0) - seconds)).toBeLessThan(5);

      const began = performance.now();
      const words = ['deploy', 'jq', '--to', 'team=design', '--wait'];
      const deployed = await system.tapline(words);
      const tookSeconds = (performance.now() - began) / 1000;
      expect(deployed).toMatchObject({
        code: 0,
        out: expect.stringContaining('ready on 1 device'),
      });
      const install = await client.get(installResource, `${name}.jq`);
      const stages = install.status?.stages ?? {};
      for (const stage of ['pulled', 'unpacked', 'started', 'ready', 'total']) {
        expect(stages[stage]).toBeGreaterThanOrEqual(0);
        expect(stages[stage]).toBeLessThan(tookSeconds);
      }
      const { out } = await system.tapline(['get', 'delivery', 'jq', '-o', 'json']);
      const notified = JSON.parse(out) as {
        readonly status: { readonly stages: readonly { name: string; p50Seconds: number }[] };
      };
      for (const stage of notified.status.stages) {
        expect(stage.p50Seconds).toBeGreaterThanOrEqual(0);
        expect(stage.p50Seconds).toBeLessThan(tookSeconds);
      }
      const used = await system.tapline(['exec', 'jq', '--', 'jq', '--version']);
      expect(used).toMatchObject({ code: 0, out: 'jq-1.6\n' });

      // Nor a restart: its certificate is valid by the control plane's clock.
      await device.kill();
      await eventually('it is gone', async () => {
        const found = await client.get(deviceResource, name);
        return found.status?.presence?.connected === false;
      });
      await device.start();
      await eventually('it is back', async () => {
        const found = await client.get(deviceResource, name);
        return found.status?.presence?.connected === true;
      });
      expect(device.output()).not.toContain('"level":"error"');
    },
  );
});
