import { deviceResource } from '@tapline/resources';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { debianUnavailable } from '../tools/debian/debian-unavailable.ts';
import { startSystem } from './support/start-system.ts';

const debian = await debianUnavailable('arm64');

/** `TAPLINE_LONG_TESTS=1 npx vitest run tests/wasm-device.test.ts`: half a minute. */
const long = process.env['TAPLINE_LONG_TESTS'] === '1';

describe.skipIf(!long || process.platform !== 'linux' || debian !== undefined)(
  `a device with the runtime wasm (needs TAPLINE_LONG_TESTS=1, Linux, ${debian ?? 'nothing else'})`,
  () => {
    test(
      'gets the bottle for arm64, runs it, and starts it again after a crash',
      { timeout: 240_000 },
      async () => {
        await using system = await startSystem({
          platforms: ['arm64_linux'],
          formulae: ['bash'],
        });
        const { tapline, controlPlane } = system;
        const device = await system.addDevice({ name: 'edge-1', flags: ['--runtime', 'wasm'] });
        const { spec, status } = await controlPlane.client.get(deviceResource, 'edge-1');
        expect(spec.platform).toBe('linux/arm64');
        expect(status?.runtimes).toEqual(['wasm']);

        const loop = 'echo begins; while :; do read -t 60 <> <(:); done';
        const words = ['deploy', 'bash', '--to', 'team=design', '--wait'];
        const cold = await tapline([...words, '--', 'bash', '-c', loop], { timeoutMs: 120_000 });
        expect(cold, cold.err + device.output()).toMatchObject({ code: 0 });
        expect(cold.out).toMatch(/^bash \S+ is ready on 1 device/);

        const within = ['exec', 'bash', '--on', 'edge-1', '--', 'bash', '-c'];
        const used = await tapline([...within, 'read x; echo "$x on $HOSTTYPE"; exit 23'], {
          stdin: 'text\n',
        });
        expect(used).toEqual({ code: 23, out: 'text on aarch64\n', err: '' });

        const begun = async (): Promise<number> => {
          const { out } = await tapline(['logs', 'edge-1.bash']);
          return out.split('begins').length - 1;
        };
        expect(await eventually('its log', async () => (await begun()) === 1)).toBe(true);
        process.kill(pidOf(device.data), 'SIGKILL');
        await eventually('it runs again', async () => (await begun()) === 2, { withinMs: 60_000 });

        // What runs goes on without its agent.
        const pid = pidOf(device.data);
        await device.kill();
        await device.start();
        await eventually(
          'it is seen again',
          async () => (await tapline(['logs', 'edge-1.bash'])).code === 0,
        );
        expect(pidOf(device.data)).toBe(pid);

        const gone = await tapline(['delete', 'delivery', 'bash']);
        expect(gone).toMatchObject({ code: 0 });
        await eventually('it has stopped', () => containersOf(device.data).length === 0);
      },
    );
  },
);

function containersOf(data: string): readonly string[] {
  return readdirSync(join(data, 'runtime/containers'));
}

/** Of the process that has the only container's guests. */
function pidOf(data: string): number {
  const [id = ''] = containersOf(data);
  return Number(readFileSync(join(data, 'runtime/containers', id, 'pid'), 'utf8').split(' ')[0]);
}
