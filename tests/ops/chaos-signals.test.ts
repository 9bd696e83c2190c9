import { existsSync } from 'node:fs';
import { request } from 'node:https';
import { systemClock } from '@tapline/base';
import { loadKubeconfig } from '@tapline/client';
import {
  deviceResource,
  incidentResource,
  nodeResource,
  playbookResource,
  type PlaybookSpec,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { eventually, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { setPresence } from '../../packages/control-plane/src/testing/set-presence.ts';
import {
  icingaUnavailable,
  startIcinga,
} from '../../packages/monitoring/src/testing/start-icinga.ts';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { runTapline } from '../support/run-tapline.ts';
import { monitoringFile } from './support/start-ops-fleet.ts';

// By command, `npm run chaos`.
const unasked =
  process.env['TAPLINE_LONG_TESTS'] === undefined ? '(needs TAPLINE_LONG_TESTS=1)' : undefined;
const unavailable = unasked ?? icingaUnavailable();
const multiarch = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const faketime = `/usr/lib/${multiarch}/faketime/libfaketime.so.1`;
const within = { withinMs: 90_000 };

/** A control plane that a real Icinga 2 watches for, with nodes that are only declared. */
async function startWatched(env: Readonly<Record<string, string>> = {}) {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const icinga = opened.use(await startIcinga());
  const plane = opened.use(
    await startControlPlaneProcess(folder.path, {
      TAPLINE_OPSBOT: 'on',
      TAPLINE_MONITORING_CONFIG: await monitoringFile(folder.path, icinga),
      ...env,
    }),
  );
  const { client } = plane;
  const owned = opened.move();
  return {
    icinga,
    plane,
    client,
    async addNodes(names: readonly string[], zone: string): Promise<void> {
      await Promise.all(
        names.map(async (name) => {
          await client.create(deviceResource, {
            metadata: { name, labels: { zone } },
            spec: { platform: 'linux/amd64', role: 'node' },
          });
          await setPresence(client, name, true);
        }),
      );
    },
    /** Every host is in Icinga as it is to be, and its events are followed. */
    settled: () =>
      eventually(
        'Icinga is in step',
        async () => {
          const env2 = { TAPLINE_KUBECONFIG: plane.kubeconfig };
          const { out } = await runTapline(['monitor', 'status'], { env: env2 });
          return /, 0 with something to do\nfollowed since/.test(out);
        },
        within,
      ),
    async fillDisk(name: string, freeBytes: number): Promise<void> {
      await eventually('its disk is told', async () => {
        const device = await client.get(deviceResource, name);
        const storage = { freeBytes, usedBytes: 1e9 - freeBytes, reservedBytes: 0 };
        const status = { ...device.status, storage };
        return await client
          .updateStatus(deviceResource, { ...device, status })
          .catch(() => undefined);
      });
    },
    remediations: async (): Promise<readonly Remediation[]> =>
      (await client.list(remediationResource)).items,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Watched = Awaited<ReturnType<typeof startWatched>>;

function untilWaits(watched: Watched): Promise<Remediation> {
  return eventually(
    'it waits for a person',
    async () =>
      (await watched.remediations()).find(({ status }) => status?.phase === 'AwaitingApproval'),
    within,
  );
}

async function sendAlert(
  plane: ControlPlaneProcess,
  alert: { readonly name: string; readonly node: string; readonly hours: number; over?: boolean },
): Promise<void> {
  const env = { TAPLINE_KUBECONFIG: plane.kubeconfig };
  const who = ['--user', 'alerts', '--group', 'tapline:alertmanager'];
  const token = (await runTapline(['token', 'create', ...who], { env })).out.trim();
  const { ca } = await loadKubeconfig(plane.kubeconfig);
  const iso = (hours: number): string =>
    new Date(systemClock.now() + hours * 3_600_000).toISOString();
  const body = {
    version: '4',
    alerts: [
      {
        status: alert.over === true ? 'resolved' : 'firing',
        labels: { alertname: alert.name, node: alert.node },
        startsAt: iso(alert.hours),
        endsAt: alert.over === true ? iso(alert.hours) : '0001-01-01T00:00:00Z',
        fingerprint: alert.node,
      },
    ],
  };
  const sent = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${token}` };
  request(new URL('/ops/v1/alerts', plane.url), { method: 'POST', ca, headers }, (response) => {
    response.resume();
    sent.resolve(response.statusCode ?? 0);
  })
    .on('error', sent.reject)
    .end(JSON.stringify(body));
  expect(await sent.promise).toBe(200);
}

describe.skipIf(unavailable !== undefined)(`what OpsBot hears ${unavailable ?? ''}`, () => {
  test(
    'a storm of fifty nodes is one incident with its cause, and nothing is done',
    { timeout: 240_000 },
    async () => {
      await using watched = await startWatched();
      const { client } = watched;
      const far = Array.from({ length: 50 }, (_, at) => `far-${at}`);
      const near = Array.from({ length: 10 }, (_, at) => `near-${at}`);
      await watched.addNodes([...far, ...near], 'near');
      await Promise.all(
        far.map((name) =>
          client.patch(deviceResource, name, {
            kind: 'merge',
            body: { metadata: { labels: { zone: 'far' } } },
          }),
        ),
      );
      await watched.settled();
      // The twin: all of them came, and nothing was done.
      expect(await watched.remediations()).toEqual([]);
      await Promise.all(far.map((name) => setPresence(client, name, false)));
      const incident = await eventually(
        'one incident of all',
        async () => {
          const { items } = await client.list(incidentResource);
          const open = items.filter(({ status }) => status?.phase === 'Open');
          return open.length === 1 && open[0]?.status?.targets === 50 ? open[0] : undefined;
        },
        within,
      );
      expect(incident.spec.cause).toEqual({ kind: 'Zone', name: 'far' });
      expect(incident.status?.held?.[0]?.guard).toBe('blast-radius');
      // Also once Icinga has said so of each.
      await eventually(
        'both say so',
        async () => {
          const { status } = await client.get(incidentResource, incident.metadata.name);
          return status?.held?.every(({ guard }) => guard === 'blast-radius');
        },
        within,
      );
      await watched.settled();
      expect(await watched.remediations()).toEqual([]);
      const { items } = await client.list(nodeResource);
      expect(items.filter(({ spec }) => spec.draining === true)).toEqual([]);
      await Promise.all(far.map((name) => setPresence(client, name, true)));
      await eventually(
        'it is over',
        async () =>
          (await client.get(incidentResource, incident.metadata.name)).status?.phase === 'Resolved',
        within,
      );
    },
  );

  test(
    'what began while Icinga was away, and an Icinga that reloads in the middle, is one remediation',
    { timeout: 240_000 },
    async () => {
      await using watched = await startWatched();
      const { client, icinga } = watched;
      await watched.addNodes(['n1', 'n2', 'n3', 'n4'], 'a');
      for (const name of ['n1', 'n2']) await watched.fillDisk(name, 5e8);
      await watched.settled();
      await icinga.crash();
      await watched.fillDisk('n1', 1e7);
      await icinga.restart();
      const asked = await untilWaits(watched);
      expect(asked.spec).toMatchObject({
        playbook: 'full-disk',
        target: { kind: 'Node', name: 'n1' },
      });
      icinga.reload();
      await watched.settled();
      // Of before the reload, and of after it: it is the same fault.
      await watched.fillDisk('n1', 1.1e7);
      await watched.settled();
      expect(await watched.remediations()).toHaveLength(1);
      const env = { TAPLINE_KUBECONFIG: watched.plane.kubeconfig };
      const digest = asked.status?.digest?.slice(0, 12) ?? '';
      const words = ['ops', 'approve', asked.metadata.name, digest];
      expect(await runTapline(words, { env })).toMatchObject({ code: 0 });
      await eventually(
        'it is drained',
        async () => (await watched.remediations())[0]?.status?.phase === 'Succeeded',
        within,
      );
      await watched.fillDisk('n1', 5e8);
      await eventually(
        'it is over',
        async () => (await watched.remediations())[0]?.status?.clearedAt !== undefined,
        within,
      );
      expect(await watched.remediations()).toHaveLength(1);
      const { items } = await client.list(nodeResource);
      const drained = items.filter(({ spec }) => spec.draining === true);
      expect(drained.map(({ metadata }) => metadata.name)).toEqual(['n1']);
    },
  );

  test(
    'alerts whose clock is an hour ahead or behind are acted on, and are over, just so',
    { timeout: 240_000 },
    async () => {
      await using watched = await startWatched();
      const { client, plane } = watched;
      await watched.addNodes(['n1', 'n2', 'n3', 'n4'], 'a');
      await watched.settled();
      await client.create(playbookResource, {
        metadata: { name: 'odd' },
        spec: {
          mode: 'Automatic',
          on: { alert: { name: 'Odd' } },
          target: { kind: 'Node' },
          guards: { concurrent: 2, maxTargets: 3, maxTargetPercent: 100, settleSeconds: 1 },
          steps: [{ action: 'notify', message: 'look' }],
          verify: { timeoutSeconds: 60 },
        } as unknown as PlaybookSpec,
      });
      const skews = [
        ['n1', 1],
        ['n2', -1],
      ] as const;
      for (const [node, hours] of skews) await sendAlert(plane, { name: 'Odd', node, hours });
      const both = (phase: string) =>
        eventually(
          `both are ${phase}`,
          async () => {
            const all = await watched.remediations();
            const is = all.length === 2 && all.every(({ status }) => status?.phase === phase);
            return is ? all : undefined;
          },
          within,
        );
      await both('Running');
      for (const [node, hours] of skews) {
        await sendAlert(plane, { name: 'Odd', node, hours: hours + 0.01, over: true });
      }
      const done = await both('Succeeded');
      expect(done.map(({ spec }) => spec.target.name).toSorted()).toEqual(['n1', 'n2']);
    },
  );
});

const noSkew = unavailable ?? (existsSync(faketime) ? undefined : '(needs libfaketime)');

describe.skipIf(noSkew !== undefined)(`a control plane’s wrong clock ${noSkew ?? ''}`, () => {
  // Not behind it: the certificates of this Icinga begin now.
  test.each(['+1h', '+5h'])(
    'of %s beside Icinga keeps OpsBot from nothing, and has it do nothing',
    { timeout: 240_000 },
    async (offset) => {
      await using watched = await startWatched({
        LD_PRELOAD: faketime,
        FAKETIME: offset,
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      });
      await watched.addNodes(['n1', 'n2', 'n3', 'n4'], 'a');
      for (const name of ['n1', 'n2']) await watched.fillDisk(name, 5e8);
      await watched.settled();
      expect(await watched.remediations()).toEqual([]);
      await watched.fillDisk('n1', 1e7);
      const asked = await untilWaits(watched);
      expect(asked.status?.evidence).toMatchObject([{ source: 'icinga', key: 'icinga/n1!disk' }]);
      await watched.fillDisk('n1', 5e8);
      await eventually(
        'it is over',
        async () => (await watched.remediations())[0]?.status?.phase === 'Refused',
        within,
      );
      expect(await watched.remediations()).toHaveLength(1);
    },
  );
});
