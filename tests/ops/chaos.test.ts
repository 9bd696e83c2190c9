import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { loadKubeconfig } from '@tapline/client';
import {
  deviceResource,
  leaseResource,
  nodeResource,
  opsPolicyResource,
  type PlaybookSpec,
  playbookResource,
  type Remediation,
  remediationResource,
  workloadResource,
} from '@tapline/resources';
import { eventually, startProcess, type StartedProcess, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import {
  icingaUnavailable,
  startIcinga,
} from '../../packages/monitoring/src/testing/start-icinga.ts';
import { segmentsUnavailable } from '../segments/support/segments-unavailable.ts';
import { startControlPlaneProcess } from '../support/control-plane-process.ts';
import { systemUnavailable } from '../support/requirements.ts';
import { runTapline, taplineMain } from '../support/run-tapline.ts';
import { startSegmentSystem } from '../support/segment-system.ts';
import { decisionQuantile } from './support/decision-quantile.ts';
import { openWindow } from './support/open-window.ts';
import { tokenKubeconfig } from './support/token-kubeconfig.ts';

// By command, `npm run chaos`: it takes a minute, and some of it is measured.
const unasked =
  process.env['TAPLINE_LONG_TESTS'] === undefined ? '(needs TAPLINE_LONG_TESTS=1)' : undefined;
const within = { withinMs: 60_000 };

function print(what: string, value: string): void {
  process.stdout.write(`chaos: ${what}: ${value}\n`);
}

const systemMissing =
  unasked ??
  icingaUnavailable() ??
  segmentsUnavailable(['unshare', 'runc']) ??
  (await systemUnavailable());

describe.skipIf(systemMissing !== undefined)(`a node that dies ${systemMissing ?? ''}`, () => {
  test(
    'Icinga says so, OpsBot drains it, its program runs elsewhere, and it is given back; no twin is touched',
    { timeout: 240_000 },
    async () => {
      await using folder = await temporaryFolder();
      await using icinga = await startIcinga();
      const at = (name: string): string => join(folder.path, name);
      const { login, caPem } = icinga.endpoint;
      await writeFile(at('ca.crt'), caPem);
      await writeFile(at('password'), login.kind === 'password' ? login.password : '');
      await writeFile(
        at('monitoring.yaml'),
        `icinga:
  url: https://127.0.0.1:5665
  caFile: ca.crt
  serverName: localhost
  login: { username: tapline, password: { file: password } }
`,
      );
      await using system = await startSegmentSystem(
        { n1: 'place=a', n2: 'place=b', n3: 'place=c' },
        {
          formulae: ['bash'],
          runtime: 'runc',
          env: { TAPLINE_OPSBOT: 'on', TAPLINE_MONITORING_CONFIG: at('monitoring.yaml') },
        },
      );
      const { client } = system;
      await using window = await openWindow(
        { namespace: system.controlNamespace, port: 5665 },
        { port: icinga.port, folder: folder.path },
      );
      expect(window).toBeDefined();
      // Only Icinga is to be believed here, and what is back need not wait for a minute.
      const change = async (name: string, spec: object): Promise<void> => {
        await client.patch(playbookResource, name, { kind: 'merge', body: { spec } });
      };
      await change('dead-node', { on: { condition: null } });
      await change('node-is-back', { guards: { settleSeconds: 1 } });
      await system.apply(
        'workload',
        `
apiVersion: tapline.dev/v1alpha1
kind: Workload
metadata: { name: edge }
spec:
  package: { formula: bash }
  run: { command: [bash, -c, 'while :; do read -t 60 <> <(:); done'] }
  health: { command: [bash, -c, 'exit 0'] }
  network: Host
  replicas: 1
  moveAfterSeconds: 1
`,
      );
      const until = (what: string, done: (nodes: readonly string[]) => boolean) =>
        eventually(
          what,
          async () => {
            const { status } = await client.get(workloadResource, 'edge');
            const ready = (status?.placements ?? []).filter(({ state }) => state === 'Ready');
            const nodes = ready.map(({ node }) => node);
            return done(nodes) ? nodes : undefined;
          },
          within,
        );
      const [home = ''] = await until('it is ready', (nodes) => nodes.length === 1);
      await eventually(
        'Icinga is followed',
        async () => {
          const { out } = await system.tapline(['monitor', 'status']);
          return /, 0 with something to do\nfollowed since/.test(out);
        },
        within,
      );
      const remediations = async (): Promise<readonly Remediation[]> =>
        (await client.list(remediationResource)).items;
      // The twin without a fault: nothing was done so far, with all that starting has told.
      expect(await remediations()).toEqual([]);

      const node = system.nodes.find(({ name }) => name === home);
      const killedMs = performance.now();
      await node?.kill();
      await until('it is ready elsewhere', (nodes) => nodes.length === 1 && nodes[0] !== home);
      const failoverMs = performance.now() - killedMs;
      const drained = await eventually(
        'OpsBot drained it',
        async () =>
          (await remediations()).find(
            ({ spec, status }) => spec.playbook === 'dead-node' && status?.phase === 'Succeeded',
          ),
        within,
      );
      const drainedMs = performance.now() - killedMs;
      expect(drained.spec.target).toEqual({ kind: 'Node', name: home });
      expect(drained.status?.evidence).toMatchObject([{ source: 'icinga', key: `icinga/${home}` }]);
      expect((await client.get(nodeResource, home)).spec.draining).toBe(true);

      await node?.start();
      await eventually(
        'it is given back',
        async () => (await client.get(nodeResource, home)).spec.draining !== true,
        within,
      );
      const done = await remediations();
      expect(done.map(({ spec }) => `${spec.playbook} ${spec.target.name}`).toSorted()).toEqual([
        `dead-node ${home}`,
        `node-is-back ${home}`,
      ]);
      const { items } = await client.list(nodeResource);
      expect(items.filter(({ spec }) => spec.draining === true)).toEqual([]);
      print('a program serves elsewhere after its node was killed', `${Math.round(failoverMs)} ms`);
      print(
        'drained on the word of Icinga (2.13 tells in steps of 5 s)',
        `${Math.round(drainedMs)} ms`,
      );
      expect(failoverMs).toBeLessThan(30_000);
    },
  );
});

describe.skipIf(unasked !== undefined)(`replicas ${unasked ?? ''}`, () => {
  test(
    'a leader that is stopped is replaced, and can do nothing when it goes on',
    { timeout: 120_000 },
    async () => {
      await using folder = await temporaryFolder();
      await using plane = await startControlPlaneProcess(folder.path, { TAPLINE_OPSBOT: 'off' });
      const { client } = plane;
      const token = await runTapline(
        ['token', 'create', '--user', 'opsbot', '--group', 'tapline:opsbot'],
        { env: { TAPLINE_KUBECONFIG: plane.kubeconfig } },
      );
      // Not the administrator: who is no OpsBot can begin nothing.
      const kubeconfig = await tokenKubeconfig(plane.kubeconfig, {
        path: join(folder.path, 'opsbot.kubeconfig'),
        token: token.out.trim(),
      });
      const start = (): Promise<StartedProcess> =>
        startProcess(process.execPath, [taplineMain, 'ops', 'replica'], {
          readyLine: /replica \S+ runs/,
          env: { TAPLINE_KUBECONFIG: kubeconfig },
          readyWithinMs: 40_000,
        });
      await using one = await start();
      const leader = (who: StartedProcess) =>
        eventually(
          'it leads',
          async () => {
            const { status } = await client.get(opsPolicyResource, 'default');
            return status?.leader?.endsWith(`-${who.pid}`) === true ? status : undefined;
          },
          within,
        );
      await leader(one);
      await using two = await start();
      const body = {
        metadata: { name: 'edge-1' },
        spec: { platform: 'linux/amd64', role: 'node' },
      } as const;
      await client.create(deviceResource, body);
      await client.create(playbookResource, {
        metadata: { name: 'not-ready' },
        spec: {
          mode: 'Automatic',
          on: { condition: { type: 'Ready', status: 'False' } },
          target: { kind: 'Node' },
          guards: { settleSeconds: 2 },
          steps: [{ action: 'drain-node' }],
          verify: { accept: 'Done' },
        } as unknown as PlaybookSpec,
      });
      // It decides after two seconds, and is stopped before.
      one.kill('SIGSTOP');
      const stoppedMs = performance.now();
      const led = await leader(two);
      const tookMs = performance.now() - stoppedMs;
      const done = await eventually(
        'the other does it',
        async () => {
          const { items } = await client.list(remediationResource);
          return items.find(({ status }) => status?.phase === 'Succeeded');
        },
        within,
      );
      expect(done.status?.epoch).toBe(led.epoch);
      await client.patch(nodeResource, 'edge-1', {
        kind: 'merge',
        body: { spec: { draining: null } },
      });
      one.kill('SIGCONT');
      // It is proven to run again when it asks for the lease: then all that it had is past.
      await eventually('it goes on', () => /lease lost|fenced/.test(one.output()), within);
      const { items } = await client.list(remediationResource);
      expect(items).toHaveLength(1);
      expect((await client.get(nodeResource, 'edge-1')).spec.draining).toBeUndefined();
      expect((await client.get(opsPolicyResource, 'default')).status?.epoch).toBe(led.epoch);
      const lease = await client.get(leaseResource, 'tapline-opsbot', { namespace: 'default' });
      expect(lease.spec?.holderIdentity).toMatch(new RegExp(`-${two.pid}$`));
      print('another leads after the leader was stopped', `${Math.round(tookMs)} ms`);
      expect(tookMs).toBeLessThan(30_000);
    },
  );
});

describe.skipIf(unasked !== undefined)(`a burst ${unasked ?? ''}`, () => {
  test('of two hundred events is decided', { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder();
    await using plane = await startControlPlaneProcess(folder.path, { TAPLINE_OPSBOT: 'on' });
    const env = { TAPLINE_KUBECONFIG: plane.kubeconfig };
    const token = await runTapline(['token', 'create', '--user', 'a', '--group', 'tapline:admin'], {
      env,
    });
    const { ca } = await loadKubeconfig(plane.kubeconfig);
    const send = async (method: string, path: string, body?: object): Promise<string> => {
      const headers = { authorization: `Bearer ${token.out.trim()}` };
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      request(new URL(path, plane.url), { method, ca, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
      return await promise;
    };
    await plane.client.create(playbookResource, {
      metadata: { name: 'burst' },
      spec: {
        mode: 'Observe',
        on: { alert: { name: 'Burst' } },
        target: { kind: 'Device' },
        steps: [{ action: 'notify', message: 'look' }],
      } as unknown as PlaybookSpec,
    });
    const names = Array.from({ length: 200 }, (_, at) => `d${at}`);
    for (const name of names) {
      await plane.client.create(deviceResource, {
        metadata: { name, labels: { zone: name } },
        spec: { platform: 'linux/amd64', role: 'device' },
      });
    }
    for (const device of names) {
      await send('POST', '/ops/v1/alerts', {
        version: '4',
        alerts: [
          {
            status: 'firing',
            labels: { alertname: 'Burst', device },
            annotations: {},
            startsAt: '2026-01-01T00:00:00Z',
            endsAt: '0001-01-01T00:00:00Z',
            fingerprint: device,
          },
        ],
      });
    }
    const decided = await eventually(
      'all are decided',
      async () => {
        const found = decisionQuantile(await send('GET', '/metrics'), 0.95);
        return found.count >= names.length ? found : undefined;
      },
      within,
    );
    print('event to decision, p95 of 200, one after the other', `≤ ${decided.seconds * 1000} ms`);
    expect(decided.count).toBe(200);
  });
});
