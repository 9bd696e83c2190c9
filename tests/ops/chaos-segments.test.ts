import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import {
  installResource,
  nodeResource,
  playbookResource,
  type Remediation,
  remediationResource,
  segmentResource,
  workloadResource,
} from '@tapline/resources';
import { systemClock } from '@tapline/base';
import { eventually, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { segmentsUnavailable } from '../segments/support/segments-unavailable.ts';
import { systemUnavailable } from '../support/requirements.ts';
import { type SegmentSystem, startSegmentSystem } from '../support/segment-system.ts';
import { describeOps } from './support/describe-ops.ts';
import { stageTimes } from './support/stage-times.ts';
import { tokenKubeconfig } from './support/token-kubeconfig.ts';

// By command, `npm run chaos`: each node is a network of its own.
const unavailable =
  (process.env['TAPLINE_LONG_TESTS'] === undefined ? '(needs TAPLINE_LONG_TESTS=1)' : undefined) ??
  segmentsUnavailable(['wireguard-go', 'unshare', 'runc', 'ip']) ??
  (await systemUnavailable());
const within = { withinMs: 90_000 };

function print(what: string, value: string): void {
  process.stdout.write(`chaos: ${what}: ${value}\n`);
}

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

  async function untilRemediation(
    what: string,
    playbook: string,
    phase: NonNullable<Remediation['status']>['phase'],
    target?: string,
  ): Promise<Remediation> {
    try {
      return await eventually(
        what,
        async () =>
          (await remediations()).find(
            ({ spec, status }) =>
              spec.playbook === playbook &&
              status?.phase === phase &&
              (target === undefined || spec.target.name === target),
          ),
        within,
      );
    } catch (cause) {
      const { out } = await system.tapline(['explain', 'segment', 'radio']);
      throw new Error(`${what}: ${await describeOps(system.client)}\n${out}`, { cause });
    }
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
      print(
        'a program in its segment elsewhere after its node was killed',
        `${Math.round(movedMs)} ms`,
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
    of: {
      readonly target: string;
      readonly steps: string;
      readonly guards?: string;
      /** Whoever is asked in the middle says no. */
      readonly no?: boolean;
    },
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
          const verb = approvals > 0 && of.no === true ? 'reject' : 'approve';
          const given = await system.tapline(['ops', verb, remediation, digest, ...more]);
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

  test(
    'a segment that a node cannot take with its numbers is tried anew, then gets others, and stands',
    { timeout: 300_000 },
    async () => {
      const { client } = system;
      await system.apply('tv', segment('tv'));
      await untilReady('tv');
      const ofTwin = async (): Promise<number> =>
        (await remediations()).filter(
          ({ spec, status }) => spec.target.name === 'tv' && status?.phase !== 'Refused',
        ).length;
      const before = await ofTwin();
      const wide = await client.get(segmentResource, 'wide');
      const { first = 0 } = wide.status?.vnis ?? {};
      const { vni: twin } = (await client.get(segmentResource, 'tv')).status ?? {};
      // The lowest VNI that nobody has: somebody else's overlay on one node is faster.
      const next = twin === first ? first + 1 : first;
      const [n1] = system.nodes;
      const vxlan = ['type', 'vxlan', 'id', String(next), 'dstport', '4789'] as const;
      expect(n1?.run(['ip', 'link', 'add', 'vx9', ...vxlan]).code).toBe(0);
      await system.apply('radio', segment('radio'));
      const brokenMs = systemClock.now();
      const tried = await untilRemediation('it is tried anew', 'broken-segment', 'Failed', 'radio');
      expect(tried.status?.plan?.map(({ action }) => action)).toEqual(['reapply-segment']);
      print('the segment that is tried anew', stageTimes(tried, brokenMs));
      const asked = await untilRemediation(
        'it waits for a person',
        'reallocate-segment',
        'AwaitingApproval',
        'radio',
      );
      expect(asked.status?.evidence?.[0]?.says).toContain(`VNI ${next}`);
      const { name } = asked.metadata;
      const digest = asked.status?.digest?.slice(0, 12) ?? '';
      const approvedMs = systemClock.now();
      const words = ['ops', 'approve', name, digest, '--kubeconfig', approver];
      expect(await system.tapline(words)).toMatchObject({ code: 0 });
      const done = await untilRemediation(
        'it has others',
        'reallocate-segment',
        'Succeeded',
        'radio',
      );
      print('the segment that gets other numbers, from the approval', stageTimes(done, approvedMs));
      const radio = await client.get(segmentResource, 'radio');
      expect(radio.status?.state).toBe('Ready');
      expect(radio.status?.vni).not.toBe(next);
      expect(radio.status?.nodes).toMatchObject({ desired: 3, ready: 3 });
      const verdict = await system.tapline(['segment', 'verify', 'radio']);
      expect(verdict).toMatchObject({ code: 0 });
      // Its twin has the numbers that it had, and nothing else was done.
      expect((await client.get(segmentResource, 'tv')).status?.vni).toBe(twin);
      expect(await ofTwin()).toBe(before);
    },
  );

  test(
    'a segment is made, a person is asked in the middle, and what was made goes where they say no',
    { timeout: 300_000 },
    async () => {
      const { client } = system;
      await system.apply('tv', segment('tv'));
      await untilReady('tv');
      const states = ({ status }: Remediation) =>
        status?.steps?.map(({ state }) => state).join(' ');
      const steps = (name: string): string => `
          { action: create-segment, segment: { name: ${name}, parent: wide, prefixLength: 24 } }
          { action: wait-for-approval }
          { action: notify, message: it is there }`;
      const made = await run('spare', { target: 'segment/tv', steps: steps('spare') });
      expect(states(made)).toBe('Done Done Done');
      const spare = await client.get(segmentResource, 'spare');
      expect(spare.status?.vni).toBeGreaterThan(0);
      expect(spare.metadata.labels).toMatchObject({
        'ops.tapline.dev/remediation': made.metadata.name.slice(0, 63),
      });

      const refused = await run('other', { target: 'segment/tv', steps: steps('other'), no: true });
      expect(refused.status).toMatchObject({ phase: 'Failed', error: { code: 'ops_rejected' } });
      expect(states(refused)).toBe('Undone Failed Pending');
      await eventually('what was made is gone', async () => {
        const { items } = await client.list(segmentResource);
        return items.every(({ metadata }) => metadata.name !== 'other');
      });
      // What was there before stays, though the same playbook names it.
      const again = await run('spare-again', {
        target: 'segment/tv',
        steps: steps('spare'),
        no: true,
      });
      expect(states(again)).toBe('Done Failed Pending');
      const { uid } = (await client.get(segmentResource, 'spare')).metadata;
      expect(uid).toBe(spare.metadata.uid);
    },
  );

  test('keys of a link are rotated, and its segment stands', { timeout: 300_000 }, async () => {
    const { client } = system;
    const [n1, n2] = system.nodes;
    const ends = `link add eth1 netns ${n1?.namespace} type veth peer name eth1 netns ${n2?.namespace}`;
    execFileSync('ip', ends.split(' '));
    for (const [index, node] of [n1, n2].entries()) {
      const link = { interface: 'eth1', address: `198.51.100.${index + 1}/24` };
      await client.patch(nodeResource, node?.name ?? '', {
        kind: 'merge',
        body: { spec: { link } },
      });
    }
    await system.apply(
      'sealed',
      segment('sealed')
        .replace('link: none', 'link: macsec')
        .replace(/ports: .*/, "ports: [{ select: 'place in (a, b)', type: promiscuous }]"),
    );
    await untilReady('sealed');
    const stepOf = async (name: string): Promise<number> =>
      (await client.get(nodeResource, name)).status?.keyring?.step ?? -1;
    const before = await stepOf('n1');
    expect(before).toBeGreaterThanOrEqual(0);
    const rotated = await run('rotate', {
      target: 'segment/sealed',
      steps: '{ action: rotate-keys }',
    });
    expect(rotated.status?.phase).toBe('Succeeded');
    expect(await stepOf('n1')).toBeGreaterThan(before);
    await eventually(
      'both nodes use the new keys',
      async () => {
        const { items } = await client.list(nodeResource);
        const steps = items.flatMap(({ status }) => status?.keys?.step ?? []);
        return steps.filter((step) => step > before).length === 2;
      },
      within,
    );
    await untilReady('sealed');
    const check = await system.tapline(['check', 'segment', 'sealed']);
    expect(check).toMatchObject({ code: 0, out: expect.stringMatching(/^OK: .*\| leaks=0;;0;0 /) });
  });
});
