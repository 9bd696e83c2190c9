import { silentLog, systemClock, systemRng } from '@tapline/base';
import { eventually } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIcingaClient, type IcingaClient } from './icinga/create-icinga-client.ts';
import { parseIcingaName } from './icinga/icinga-name.ts';
import type { StateChange } from './events/object-state.ts';
import { startIcingaMonitoring } from './icinga-monitoring.ts';
import type { MonitoredHost } from './registration/monitored-host.ts';
import { icingaUnavailable, type RunningIcinga, startIcinga } from './testing/start-icinga.ts';

const unavailable = icingaUnavailable();
const name = parseIcingaName;

function hostOf(host: string, more: Partial<MonitoredHost> = {}): MonitoredHost {
  return {
    name: host,
    title: `Device ${host}`,
    kind: 'device',
    outcome: { state: 0, output: 'is connected' },
    checks: [
      {
        name: 'disk',
        title: 'Free space',
        outcome: {
          state: 0,
          output: '10 GB free',
          performance: [{ label: 'free', value: 10_000_000_000, unit: 'B', warning: 1e9, min: 0 }],
        },
      },
      { name: 'certificate', title: 'Certificate', outcome: { state: 0, output: '90 days left' } },
    ],
    ...more,
  };
}

// Debian's Icinga lets events out every 5 s.
describe.skipIf(unavailable !== undefined)(
  `Icinga 2 ${unavailable ?? ''}`,
  { timeout: 90_000 },
  () => {
    let icinga: RunningIcinga;
    let client: IcingaClient;
    let administrator: IcingaClient;

    beforeAll(async () => {
      icinga = await startIcinga();
      client = createIcingaClient({ endpoint: icinga.endpoint });
      administrator = createIcingaClient({ endpoint: icinga.administrator });
    });
    afterAll(async () => {
      await client?.[Symbol.asyncDispose]();
      await administrator?.[Symbol.asyncDispose]();
      await icinga?.[Symbol.asyncDispose]();
    });

    async function outputs(host: string): Promise<Readonly<Record<string, string>>> {
      const found = await administrator.objects.query('services', {
        attrs: ['name', 'state', 'last_check_result', 'display_name'],
        filter: 'host.name == wanted',
        filterVars: { wanted: host },
      });
      return Object.fromEntries(
        found.map(({ attrs }) => {
          const result = attrs['last_check_result'] as { output?: string } | null;
          return [
            String(attrs['name']),
            `${String(attrs['state'])} ${result?.output ?? 'nothing'}`,
          ];
        }),
      );
    }

    async function watch() {
      const changes: StateChange[] = [];
      const steps: string[] = [];
      const monitoring = startIcingaMonitoring({
        client,
        placement: { instance: name('tests') },
        prefix: '',
        clock: systemClock,
        rng: systemRng,
        log: silentLog,
        canaryMs: 3000,
        firstBackoffMs: 100,
        maxBackoffMs: 500,
        onChange: (change) => changes.push(change),
        onStep: (kind) => steps.push(kind),
      });
      return { monitoring, changes, steps };
    }

    test('says who we are, by password and by certificate', async () => {
      await using certified = createIcingaClient({ endpoint: icinga.certified });
      for (const one of [client, certified]) {
        const info = await one.info();
        expect(info).toMatchObject({ user: 'tapline', version: expect.stringMatching(/^2\.\d+/) });
        expect(info.permissions).toContain('objects/create/Host');
      }
    });

    test('believes no other certificate, and is believed with no other password', async () => {
      await using stranger = createIcingaClient({
        endpoint: {
          ...icinga.endpoint,
          login: { kind: 'password', username: 'tapline', password: 'wrong' },
        },
      });
      await expect(stranger.info()).rejects.toMatchObject({ code: 'icinga_unauthorized' });
      const login = icinga.certified.login;
      await using other = createIcingaClient({
        endpoint: {
          ...icinga.endpoint,
          // A certificate of the same authority that is no authority.
          caPem: login.kind === 'certificate' ? login.certificatePem : '',
        },
      });
      await expect(other.info()).rejects.toMatchObject({ code: 'icinga_unreachable' });
    });

    test('hosts appear with their checks and first results, change and go', async () => {
      const { monitoring, steps } = await watch();
      await using _ = monitoring;
      monitoring.set('life-a', hostOf('life-a'));
      await eventually('first results', async () => {
        const found = await outputs('life-a');
        return found['disk'] === '0 10 GB free' && found['certificate'] === '0 90 days left';
      });
      await eventually('live', () => monitoring.status().following.live);
      expect(monitoring.status().registration).toMatchObject({ wanted: 2, registered: 2 });

      // Another check, another title, another state.
      const changed = hostOf('life-a', { title: 'Renamed' });
      const segment = { name: 'segment-blue', title: 'Segment blue' };
      monitoring.set('life-a', {
        ...changed,
        checks: [
          ...changed.checks,
          { ...segment, outcome: { state: 2, output: 'is not applied' } },
        ],
      });
      await eventually('the new check', async () => {
        return (await outputs('life-a'))['segment-blue'] === '2 is not applied';
      });
      const before = steps.length;
      monitoring.set('life-a', changed);
      await eventually('the check is gone', async () => {
        return !('segment-blue' in (await outputs('life-a')));
      });
      expect(steps.slice(before)).toEqual(['delete-check']);
      monitoring.set('life-a', undefined);
      await eventually('the host is gone', async () => {
        return Object.keys(await outputs('life-a')).length === 0;
      });
    });

    test('what others change is mended, what others made is left', async () => {
      await administrator.objects.create(
        { host: name('theirs') },
        { templates: [], attrs: { check_command: 'passive', display_name: 'Theirs' } },
      );
      const { monitoring } = await watch();
      await using _ = monitoring;
      monitoring.set('theirs', hostOf('theirs'));
      monitoring.set('drift-a', hostOf('drift-a'));
      await eventually('live', () => monitoring.status().following.live);
      await monitoring.idle();
      expect(monitoring.status().registration.problems['theirs']).toContain('Tapline did not make');
      const [theirs] = await administrator.objects.query('hosts', {
        attrs: ['display_name'],
        filter: 'host.name == "theirs"',
      });
      expect(theirs?.attrs['display_name']).toBe('Theirs');

      // A result by hand: the truth comes back as soon as its event is there.
      const disk = { host: name('drift-a'), service: name('disk') };
      await administrator.actions.processCheckResult(disk, {
        exit_status: 2,
        plugin_output: 'by hand',
        performance_data: [],
      });
      await eventually('the truth', async () => {
        return (await outputs('drift-a'))['disk'] === '0 10 GB free';
      });
      // Deleted by hand: noticed when the next result does not find it.
      await administrator.objects.delete({ host: name('drift-a') });
      monitoring.set('drift-a', hostOf('drift-a', { outcome: { state: 1, output: 'is away' } }));
      await eventually('it is there again', async () => {
        return (await outputs('drift-a'))['disk'] === '0 10 GB free';
      });
    });

    test('reloaded or killed half-way, it ends as wanted and tells what was missed', async () => {
      const { monitoring, changes } = await watch();
      await using _ = monitoring;
      for (let at = 0; at < 30; at += 1) monitoring.set(`crash-${at}`, hostOf(`crash-${at}`));
      await eventually('some are there', () => monitoring.status().registration.registered > 5);
      icinga.reload();
      await eventually('more are there', () => monitoring.status().registration.registered > 20);
      await icinga.crash();
      // While it is away the world goes on.
      monitoring.set('crash-0', undefined);
      monitoring.set('crash-1', hostOf('crash-1', { outcome: { state: 1, output: 'is away' } }));
      await icinga.restart();
      await eventually('all is as wanted', async () => {
        const { registration, following } = monitoring.status();
        if (!following.live || registration.waiting > 0) return false;
        const hosts = await administrator.objects.query('hosts', {
          attrs: ['state', 'last_check_result'],
          filter: 'host.vars.tapline_instance == "tests"',
        });
        const down = hosts.filter(({ attrs }) => attrs['state'] === 1).map((host) => host.name);
        // 29, and the one that stands for the control plane.
        return hosts.length === 30 && down.join() === 'crash-1' ? hosts : false;
      });
      expect(Object.keys(await outputs('crash-29'))).toHaveLength(2);
      await eventually('it was told', () =>
        changes.some(({ object, after }) => object.host === 'crash-1' && after?.state === 1),
      );
    });
  },
);
