import { eventually, startProcess } from '@tapline/testing';
import { deliveryResource, installResource } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import { systemUnavailable } from './support/requirements.ts';
import { taplineMain } from './support/run-tapline.ts';
import { startSystem, type System } from './support/start-system.ts';

const unavailable = await systemUnavailable();

describe.skipIf(unavailable !== undefined)(`a delivery ${unavailable ?? ''}`, () => {
  test(
    'goes from a formula to a used program; a bad version goes back',
    { timeout: 120_000 },
    async () => {
      await using system = await startSystem({ devices: ['ipad-1', 'edge-1'] });
      const { tapline, controlPlane } = system;

      const cold = await tapline(['deploy', 'jq', '--to', 'team=design', '--wait']);
      expect(cold).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^jq 1\.6 is ready on 2 devices/),
      });
      for (const stage of [
        'resolved',
        'built',
        'pulled',
        'unpacked',
        'started',
        'ready',
        'total',
      ]) {
        expect(cold.out).toMatch(new RegExp(`^ +${stage} +[\\d.]+ (µs|ms|s)`, 'm'));
      }

      const used = await tapline(
        ['exec', 'jq', '--on', 'ipad-1', '--', 'jq', '-c', '.a | map(. + 1)'],
        {
          stdin: '{"a":[1,2,3]}',
        },
      );
      expect(used).toEqual({ code: 0, out: '[2,3,4]\n', err: '' });
      const halted = await tapline([
        'exec',
        'jq',
        '--on',
        'ipad-1',
        '--',
        'jq',
        '-n',
        '"oops\\n" | halt_error(23)',
      ]);
      expect(halted).toEqual({ code: 23, out: '', err: 'oops\n' });

      const warm = await tapline(['deploy', 'jq', '--wait']);
      expect(warm).toMatchObject({
        code: 0,
        out: expect.stringContaining('revision 2, nothing to fetch'),
      });

      const bad = await tapline(['deploy', 'jq@1.7.1', '--wait']);
      expect(bad).toMatchObject({
        code: 4,
        err: expect.stringMatching(/health_check_failed.*GLIBC_2\.38/),
      });
      await eventually('both devices went back', async () => {
        const { items } = await controlPlane.client.list(installResource, {});
        return items.length === 2 && items.every(({ status }) => status?.state === 'RolledBack');
      });
      const { items } = await controlPlane.client.list(installResource, {});
      for (const { spec, status } of items) {
        expect(spec).toMatchObject({ version: '1.7.1', revision: 3 });
        expect(status).toMatchObject({
          observedRevision: 3,
          active: { version: '1.6', revision: 2 },
          error: { code: 'health_check_failed', message: expect.stringContaining('GLIBC_2.38') },
        });
      }
      const served = await tapline(['exec', 'jq', '--on', 'edge-1', '--', 'jq', '--version']);
      expect(served).toEqual({ code: 0, out: 'jq-1.6\n', err: '' });

      const back = await tapline(['rollback', 'jq', '--wait']);
      expect(back).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^jq 1\.6 is ready on 2 devices.*revision 4/),
      });
      const delivery = await controlPlane.client.get(deliveryResource, 'jq');
      expect(
        delivery.status?.history?.map(({ version, outcome }) => `${version} ${outcome}`),
      ).toEqual(['1.6 Complete', '1.7.1 Failed', '1.6 Complete', '1.6 Complete']);
    },
  );

  test(
    'of a service keeps it running, shows its log, and takes it off',
    { timeout: 120_000 },
    async () => {
      await using system = await startSystem({ devices: ['edge-1'], formulae: ['bash'] });
      const { tapline, environment, controlPlane } = system;
      const [device] = system.devices;
      const script = 'n=0; while :; do n=$((n+1)); echo line $n; read -t 0.2 <> <(:); done';
      const words = ['deploy', 'bash', '--to', 'team=design', '--wait', '--', 'bash', '-c', script];
      expect(await tapline(words)).toMatchObject({ code: 0 });
      expect(device?.containers()).toMatchObject([{ status: 'running' }]);

      {
        const logs = [taplineMain, 'logs', 'bash', '-f'];
        await using follow = await startProcess(process.execPath, logs, { env: environment });
        await eventually('the log goes on', () => /^line 1$.*^line 8$/ms.test(follow.output()));
      }
      const tail = await tapline(['logs', 'edge-1.bash', '--tail', '2']);
      expect(tail).toMatchObject({ code: 0, out: expect.stringMatching(/^line \d+\nline \d+\n$/) });
      const inside = await tapline(
        ['exec', 'bash', '--', 'bash', '-c', 'echo $PPID; read line; echo "<$line>"'],
        {
          stdin: 'in\n',
        },
      );
      expect(inside).toMatchObject({ code: 0, out: expect.stringContaining('<in>') });

      expect(await tapline(['delete', 'delivery', 'bash'])).toMatchObject({ code: 0 });
      await eventually('the program is gone', () => device?.containers().length === 0);
      await eventually('the install is gone', async () => {
        const { items } = await controlPlane.client.list(installResource, {});
        return items.length === 0;
      });
      await expectNothingThere(system);
    },
  );
});

async function expectNothingThere({ tapline }: System): Promise<void> {
  const gone = await tapline(['exec', 'edge-1.bash', '--', 'bash']);
  expect(gone).toMatchObject({ code: 3, err: expect.stringContaining('edge-1.bash') });
}
