import { isTaplineError } from '@tapline/base';
import type { Channel, Delivery, PlaybookSpec, Segment } from '@tapline/resources';
import { channelResource, playbookResource } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import { builtInPlaybooks } from '../playbooks/built-in.ts';
import { fleet, playbook } from '../testing/samples.ts';
import { evaluateCheck } from './evaluate-check.ts';
import { planDigest } from './plan-digest.ts';
import { planRun } from './plan-run.ts';
import { checkOf, operationOf, storePlan, undoOf } from './stored-plan.ts';

const apiVersion = 'tapline.dev/v1alpha1';
const node = { kind: 'Node', name: 'n1' } as const;

function texts(
  spec: Partial<PlaybookSpec>,
  seen = fleet(),
  target: Parameters<typeof planRun>[1] = node,
) {
  return planRun(playbook('p', spec), target, seen).map(({ text }) => text);
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isTaplineError(error) ? error.code : 'unknown';
  }
  return undefined;
}

test('a drain is two fields, and its undo is what they were', () => {
  const [step] = planRun(playbook('p'), node, fleet());
  expect(step).toMatchObject({
    text: 'drain node n1: nothing new comes, and what is there moves',
    operation: {
      kind: 'change',
      object: node,
      uid: 'uid-n1',
      fields: [
        { path: ['spec', 'draining'], value: true, was: null },
        { path: ['metadata', 'labels', 'ops.tapline.dev/drained'], value: 'true', was: null },
      ],
    },
    undo: {
      fields: [
        { value: null, was: true },
        { value: null, was: 'true' },
      ],
    },
    check: { kind: 'node-empty', node: 'n1' },
  });
});

test('what OpsBot did not drain is not its to give back', () => {
  const uncordon = { steps: [{ action: 'uncordon-node' }] } as const;
  expect(codeOf(() => texts({ ...uncordon, steps: [...uncordon.steps] }))).toBe('ops_not_possible');
  const drained = fleet({ labels: { n1: { 'ops.tapline.dev/drained': 'true' } } });
  expect(texts({ steps: [{ action: 'uncordon-node' }] }, drained)).toEqual([
    'let workloads come to node n1 again',
  ]);
});

test('a move keeps the workload away until it has left', () => {
  const seen = fleet({ workloads: { news: ['n1'], chat: ['n1', 'n2'] } });
  expect(texts({ steps: [{ action: 'move-workload', workload: 'news' }] }, seen)).toEqual([
    'move workload news away from node n1',
    'let workload news come to node n1 another time',
  ]);
  expect(texts({ steps: [{ action: 'move-workload' }] }, seen)).toHaveLength(4);
});

const delivery: Delivery = {
  apiVersion,
  kind: 'Delivery',
  metadata: { name: 'jq', uid: 'u' },
  spec: { package: { formula: 'jq' }, selector: {}, rollout: 4 },
  status: {
    version: '1.8',
    revision: 7,
    history: [
      { revision: 7, version: '1.8', outcome: 'Failed', at: '2026-01-01T00:00:00Z' },
      { revision: 6, version: '1.7', outcome: 'Complete', at: '2026-01-01T00:00:00Z' },
    ],
  },
};

test('a rollback goes to the newest other version that was complete, by absolute values', () => {
  const seen = fleet({ deliveries: [delivery] });
  const of = playbook('p', {
    target: { kind: 'Delivery' },
    steps: [{ action: 'rollback-delivery' }],
  });
  const [step] = planRun(of, { kind: 'Delivery', name: 'jq' }, seen);
  expect(step?.text).toBe('roll delivery jq back from 1.8 to 1.7');
  expect(step?.operation).toMatchObject({
    fields: [
      { path: ['spec', 'package', 'version'], value: '1.7', was: null },
      { path: ['spec', 'rollout'], value: 5, was: 4 },
    ],
  });
  const never = { ...delivery, status: { ...delivery.status, history: [] } };
  expect(
    codeOf(() => planRun(of, { kind: 'Delivery', name: 'jq' }, fleet({ deliveries: [never] }))),
  ).toBe('ops_not_possible');
});

describe('a channel', () => {
  const target = { kind: 'Channel', name: 'news' } as const;
  const origin = { url: 'https://origin.example/tv/news.m3u8' };
  const channel = (slow: readonly string[], edges = ['n1', 'n2'], spec: object = {}): Channel => ({
    apiVersion,
    kind: 'Channel',
    metadata: { name: 'news', uid: 'c', generation: 4 },
    spec: channelResource.spec.parse({ origin, ...spec }),
    status: {
      flushed: 3,
      edges: edges.map((name, at) => ({
        node: name,
        epoch: at + 1,
        state: 'Ready',
        ...(slow.includes(name) && { slow: true }),
      })),
      conditions: [
        {
          type: 'Primed',
          status: 'True',
          reason: 'Primed',
          message: '2 of 2 edges are primed',
          observedGeneration: 4,
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  });
  const seenWith = (one: Channel) =>
    fleet({ channels: [one], workloads: { 'news.channel': ['n1', 'n2'] } });
  const plan = (steps: PlaybookSpec['steps'], one: Channel) =>
    planRun(playbook('p', { target: { kind: 'Channel' }, steps }), target, seenWith(one));

  test('is flushed whole and primed, by values that are the same however often they are written', () => {
    const one = channel([], ['n1'], { flush: { generation: 2, path: 'a.ts', soft: false } });
    const [flush, prime] = plan(
      [{ action: 'flush-cache', soft: true }, { action: 'prime-cache' }],
      one,
    );
    expect(flush).toMatchObject({
      operation: {
        kind: 'change',
        object: target,
        uid: 'c',
        fields: [
          { path: ['spec', 'flush', 'generation'], value: 3, was: 2 },
          { path: ['spec', 'flush', 'soft'], value: true, was: false },
          { path: ['spec', 'flush', 'path'], value: null, was: 'a.ts' },
        ],
      },
      check: { kind: 'channel-flushed', channel: 'news', generation: 3 },
    });
    expect(prime?.check).toEqual({ kind: 'channel-primed', channel: 'news', generation: 2 });
    const holds = (check: NonNullable<typeof flush>['check'], of: Channel) =>
      evaluateCheck(check, { fleet: seenWith(of), faults: new Map() }).holds;
    expect(holds({ kind: 'channel-flushed', channel: 'news', generation: 3 }, one)).toBe(true);
    expect(holds({ kind: 'channel-flushed', channel: 'news', generation: 4 }, one)).toBe(false);
    const primed = { kind: 'channel-primed', channel: 'news', generation: 1 } as const;
    expect(holds(primed, one)).toBe(true);
    // What its condition says is of the spec before.
    const later = { ...one, metadata: { ...one.metadata, generation: 5 } };
    expect(holds(primed, later)).toBe(false);
  });

  test('leaves the edge that is slow, and none where all of them are', () => {
    const steps: PlaybookSpec['steps'] = [{ action: 'move-workload' }];
    const moved = plan(steps, channel(['n2']));
    expect(moved.map(({ text }) => text)).toEqual([
      'move workload news.channel away from node n2',
      'let workload news.channel come to node n2 another time',
    ]);
    expect(moved[0]?.undo).toBeDefined();
    expect(codeOf(() => plan(steps, channel([])))).toBe('ops_not_possible');
    expect(codeOf(() => plan(steps, channel(['n1', 'n2'])))).toBe('ops_not_possible');
  });

  test('needs no command, and what is none needs one', () => {
    const errors = (kind: string, step: object) =>
      playbookResource.spec
        .safeParse({ on: { alert: { name: 'a' } }, target: { kind }, steps: [step] })
        .error?.issues.map(({ message }) => message);
    expect(errors('Channel', { action: 'flush-cache', soft: true })).toBeUndefined();
    expect(errors('Channel', { action: 'flush-cache', command: ['x'] })).toHaveLength(1);
    expect(errors('Workload', { action: 'flush-cache' })).toEqual([
      'flush-cache of a Workload needs command',
    ]);
    expect(errors('Workload', { action: 'flush-cache', command: ['x'], soft: true })).toHaveLength(
      1,
    );
  });
});

test('what cannot be done is refused with a code of its own', () => {
  const segment: Segment = {
    apiVersion,
    kind: 'Segment',
    metadata: { name: 'news' },
    spec: { quarantineSeconds: 60, prefix: '10.0.0.0/24' },
  };
  const seen = fleet({ segments: [segment] });
  const target = { kind: 'Segment', name: 'news' } as const;
  const run = (action: 'reallocate-segment' | 'rotate-keys' | 'reapply-segment') =>
    codeOf(() =>
      planRun(playbook('p', { target: { kind: 'Segment' }, steps: [{ action }] }), target, seen),
    );
  expect(run('reallocate-segment')).toBe('ops_not_possible');
  expect(run('reapply-segment')).toBe('ops_not_possible');
  expect(run('rotate-keys')).toBe('ops_action_unsupported');
  expect(codeOf(() => planRun(playbook('p'), { kind: 'Node', name: 'nobody' }, seen))).toBe(
    'ops_target_unknown',
  );
  expect(codeOf(() => planRun(playbook('p'), target, seen))).toBe('ops_target_unknown');
});

test('a plan is kept to the last value', () => {
  const plan = planRun(playbook('p'), node, fleet());
  const [stored] = storePlan(plan);
  if (stored === undefined) throw new Error('one step');
  expect(operationOf(stored)).toEqual(plan[0]?.operation);
  expect(undoOf(stored)).toEqual(plan[0]?.undo);
  expect(checkOf(stored)).toEqual(plan[0]?.check);
});

test('the digest is of the target, the values, the playbook and the policy, each', () => {
  const of = playbook('p');
  const about = { playbook: of, target: node, plan: planRun(of, node, fleet()), policyVersion: 1 };
  const digest = planDigest(about);
  expect(planDigest({ ...about })).toBe(digest);
  const others = [
    { ...about, policyVersion: 2 },
    { ...about, target: { kind: 'Node', name: 'n2' } as const },
    { ...about, plan: planRun(of, { kind: 'Node', name: 'n2' }, fleet()) },
    { ...about, playbook: { ...of, metadata: { ...of.metadata, generation: 2 } } },
  ].map(planDigest);
  expect(new Set([digest, ...others]).size).toBe(5);
});

test('built-in playbooks are valid, and name their runbooks', () => {
  for (const { name, spec } of builtInPlaybooks) {
    expect(playbookResource.spec.safeParse(spec).error, name).toBeUndefined();
    expect(spec.runbook, name).toBeDefined();
  }
});

test('an empty selector cannot be written, and a schedule has to have one', () => {
  const spec = {
    on: { schedule: { everySeconds: 60 } },
    target: { kind: 'Node' },
    steps: [{ action: 'drain-node' }],
  };
  const errorOf = (target: object) =>
    playbookResource.spec.safeParse({ ...spec, target }).error?.issues[0]?.message;
  expect(errorOf({ kind: 'Node' })).toContain('everything is never meant');
  expect(errorOf({ kind: 'Node', selector: '' })).toBeDefined();
  expect(errorOf({ kind: 'Node', selector: 'role=edge' })).toBeUndefined();
});
