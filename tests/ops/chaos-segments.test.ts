import { join } from 'node:path';
import {
  installResource,
  playbookResource,
  type Remediation,
  remediationResource,
  segmentResource,
  workloadResource,
} from '@tapline/resources';
import { eventually, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { segmentsUnavailable } from '../segments/support/segments-unavailable.ts';
import { systemUnavailable } from '../support/requirements.ts';
import { type SegmentSystem, startSegmentSystem } from '../support/segment-system.ts';
import { tokenKubeconfig } from './support/token-kubeconfig.ts';

// By command, `npm run chaos`: each node is a network of its own.
const unavailable =
  (process.env['TAPLINE_LONG_TESTS'] === undefined ? '(needs TAPLINE_LONG_TESTS=1)' : undefined) ??
  segmentsUnavailable(['wireguard-go', 'unshare', 'runc', 'ip']) ??
  (await systemUnavailable());
const within = { withinMs: 90_000 };

function segment(name: string): string {
  return `
apiVersion: tapline.dev/v1alpha1
kind: Segment
metadata: { name: ${name} }
spec:
  parent: wide
  prefixLength: 24
  encryption: { underlay: none, link: none }
  quarantineSeconds: 0
  ports: [{ select: place, type: promiscuous }, { select: app=edge, type: promiscuous }]
`;
}

describe.skipIf(unavailable !== undefined)(`faults of segments ${unavailable ?? ''}`, () => {
  let system: SegmentSystem;
  let folder: TemporaryFolder;
  /** The kubeconfig of somebody who approves, and does nothing else. */
  let approver: string;

  beforeAll(async () => {
    system = await startSegmentSystem(
      { n1: 'place=a', n2: 'place=b', n3: 'place=c' },
      { formulae: ['bash'], runtime: 'runc', env: { TAPLINE_OPSBOT: 'on' } },
    );
    await system.apply(
      'wide',
      `
apiVersion: tapline.dev/v1alpha1
kind: Segment
metadata: { name: wide }
spec: { prefix: 10.64.0.0/12, vnis: { size: 64 } }
`,
    );
    folder = await temporaryFolder();
    const who = ['--user', 'dana', '--group', 'tapline:approver'];
    const token = await system.tapline(['token', 'create', ...who]);
    const path = join(folder.path, 'dana.kubeconfig');
    approver = await tokenKubeconfig(system.kubeconfig, { path, token: token.out.trim() });
  }, 120_000);
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  }, 60_000);

  async function remediations(): Promise<readonly Remediation[]> {
    return (await system.client.list(remediationResource)).items;
  }

  function untilRemediation(
    what: string,
    playbook: string,
    phase: NonNullable<Remediation['status']>['phase'],
  ): Promise<Remediation> {
    return eventually(
      what,
      async () =>
        (await remediations()).find(
          ({ spec, status }) => spec.playbook === playbook && status?.phase === phase,
        ),
      within,
    );
  }

  function untilReady(name: string): Promise<number> {
    return eventually(
      `segment ${name} stands`,
      async () => {
        const { status } = await system.client.get(segmentResource, name);
        return status?.state === 'Ready' ? status.vni : undefined;
      },
      within,
    );
  }

  test(
    'a program of a dead node runs in its segment on another one, and the node is given back',
    { timeout: 240_000 },
    async () => {
      const { client } = system;
      await system.apply('tv', segment('tv'));
      await untilReady('tv');
      await client.patch(playbookResource, 'node-is-back', {
        kind: 'merge',
        body: { spec: { guards: { settleSeconds: 1 } } },
      });
      await system.apply(
        'edge',
        `
apiVersion: tapline.dev/v1alpha1
kind: Workload
metadata: { name: edge }
spec:
  package: { formula: bash }
  run: { command: [bash, -c, 'while :; do read -t 60 <> <(:); done'] }
  health: { command: [bash, -c, 'exit 0'] }
  segment: { name: tv, labels: { app: edge } }
  replicas: 1
  moveAfterSeconds: 1
`,
      );
      const until = (what: string, done: (node: string) => boolean) =>
        eventually(
          what,
          async () => {
            const { status } = await client.get(workloadResource, 'edge');
            const ready = (status?.placements ?? []).filter(({ state }) => state === 'Ready');
            const [first] = ready;
            return ready.length === 1 && first !== undefined && done(first.node)
              ? first.node
              : undefined;
          },
          within,
        );
      const home = await until('it is ready', () => true);
      expect(await remediations()).toEqual([]);
      const node = system.nodes.find(({ name }) => name === home);
      const killedMs = performance.now();
      await node?.kill();
      const other = await until('it is ready elsewhere', (name) => name !== home);
      const movedMs = performance.now() - killedMs;
      process.stdout.write(
        `chaos: a program in its segment elsewhere after its node was killed: ${Math.round(movedMs)} ms\n`,
      );
      const install = await client.get(installResource, `${other}.bash`);
      expect(install.spec.segment).toMatchObject({ name: 'tv' });
      expect(install.status?.state).toBe('Ready');
      const drained = await untilRemediation('it is drained', 'dead-node', 'Succeeded');
      expect(drained.spec.target).toEqual({ kind: 'Node', name: home });
      await node?.start();
      await untilRemediation('it is given back', 'node-is-back', 'Succeeded');
      expect((await remediations()).length).toBe(2);
      expect(movedMs).toBeLessThan(30_000);
    },
  );

  /**
   * Has somebody ask for the steps, and somebody else approve them; the plan that is shown before has to
   * be what is done, to the last value.
   */
  async function run(
    name: string,
    of: { readonly target: string; readonly steps: string; readonly guards?: string },
  ): Promise<Remediation> {
    const kind = of.target.split('/', 1)[0] ?? '';
    await system.apply(
      name,
      `
apiVersion: tapline.dev/v1alpha1
kind: Playbook
metadata: { name: ${name} }
spec:
  on: { alert: { name: Never } }
  target: { kind: ${kind[0]?.toUpperCase()}${kind.slice(1)} }
  guards: ${of.guards ?? '{}'}
  steps:
${of.steps
  .trim()
  .split('\n')
  .map((line) => `    - ${line.trim()}`)
  .join('\n')}
  verify: { accept: Done }
`,
    );
    const dry = await system.tapline(['ops', 'plan', name, of.target, '-o', 'json']);
    expect(dry.err).toBe('');
    const { plan } = JSON.parse(dry.out) as { plan: unknown };
    const words = ['ops', 'request', name, of.target, '--reason', 'a test', '-o', 'json'];
    const asked = JSON.parse((await system.tapline(words)).out) as Remediation;
    const remediation = asked.metadata.name;
    let approvals = 0;
    const over = await eventually(
      `${name} is over`,
      async () => {
        const found = await system.client.get(remediationResource, remediation);
        const { status = {} } = found;
        const step = status.steps?.findLast(({ state }) => state !== 'Pending');
        const isInside =
          status.plan?.[status.steps?.findLastIndex(({ state }) => state === 'Running') ?? -1]
            ?.action === 'wait-for-approval';
        const waits =
          status.phase === 'AwaitingApproval' || (step?.state === 'Running' && isInside);
        if (waits && approvals < (status.phase === 'AwaitingApproval' ? 1 : 2)) {
          const digest = status.digest?.slice(0, 12) ?? '';
          const more = ['--kubeconfig', approver];
          const given = await system.tapline(['ops', 'approve', remediation, digest, ...more]);
          if (given.code === 0) approvals += 1;
        }
        if (!['Succeeded', 'Failed', 'Refused'].includes(status.phase ?? '')) return undefined;
        return found;
      },
      within,
    );
    expect(over.status?.plan).toEqual(plan);
    return over;
  }

  /** Runs a command in the program of the workload, wherever it is. */
  async function inside(command: string): Promise<string> {
    const { out } = await system.tapline(['exec', 'bash', '--', 'bash', '-c', command]);
    return out.trim();
  }

  test(
    'a restart, and commands in each replica, do what their dry run showed',
    { timeout: 300_000 },
    async () => {
      const { client } = system;
      const said = ({ status }: Remediation) => status?.steps?.map(({ state }) => state).join(' ');
      const workload = 'workload/edge';
      // Each program begins at another tick of the kernel.
      const began = () => inside('read -a of < /proc/1/stat; echo ${of[21]}');

      const before = await began();
      expect(before).toMatch(/^\d+$/);
      const restarted = await run('restart', {
        target: workload,
        steps: '{ action: restart-workload }',
        guards: '{ minHealthy: 0 }',
      });
      expect(said(restarted)).toBe('Done');
      expect(await began()).not.toBe(before);
      // The last ready one is never taken, whoever asks and approves.
      await client.patch(playbookResource, 'restart', {
        kind: 'merge',
        body: { spec: { guards: { minHealthy: 1, cooldownSeconds: 0 } } },
      });
      const words = ['ops', 'request', 'restart', workload, '--reason', 'again', '-o', 'json'];
      const again = JSON.parse((await system.tapline(words)).out) as Remediation;
      const held = await eventually(
        'it is held',
        async () => {
          const { status } = await client.get(remediationResource, again.metadata.name);
          return status?.decisions?.find(({ allowed }) => !allowed);
        },
        within,
      );
      expect(held.guard).toBe('healthy-replicas');

      const cached = await run('cache', {
        target: workload,
        steps: `
          { action: flush-cache, command: [bash, -c, 'echo flushed > /tmp/cache'] }
          { action: prime-cache, command: [bash, -c, 'read a < /tmp/cache; echo $a, primed > /tmp/cache'] }`,
      });
      expect(said(cached)).toBe('Done Done');
      expect(await inside('read a < /tmp/cache; echo $a')).toBe('flushed, primed');
      const failed = await run('failing', {
        target: workload,
        steps: `{ action: flush-cache, command: [bash, -c, 'exit 3'] }`,
      });
      expect(failed.status?.error?.code).toBe('ops_command_failed');
    },
  );
});
