import { internalIdentity } from '@tapline/apiserver';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import { type OpsBot, planRun, type Signal, startOpsBot, storePlan } from '@tapline/opsbot';
import {
  deliveryResource,
  deviceResource,
  incidentResource,
  nodeResource,
  opsPolicyResource,
  type PlaybookSpec,
  playbookResource,
  type Remediation,
  remediationResource,
  workloadResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SimulatedFleet, startSimulatedFleet } from '../testing/simulated-fleet.ts';

let fleet: SimulatedFleet;
const bots: OpsBot[] = [];
const decided: { readonly seconds: number; readonly outcome: string }[] = [];

beforeEach(async () => {
  decided.length = 0;
  fleet = await startSimulatedFleet();
  for (const [name, zone] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['b2', 'b'],
  ] as const) {
    await fleet.addNode(name, { zone });
  }
});
afterEach(async () => {
  for (const bot of bots.splice(0)) await bot[Symbol.asyncDispose]();
  await fleet[Symbol.asyncDispose]();
});

function startBot(client: ResourceClient = opsClient(), identity = 'one', shared = false): OpsBot {
  const bot = startOpsBot({
    client,
    informers: fleet.reconcilers.informers,
    shared,
    identity,
    metrics: {
      decision: (about) => void decided.push(about),
      signal: () => undefined,
      leading: () => undefined,
    },
    clock: systemClock,
    rng: seededRng(2),
    log: silentLog,
    leaseMs: 600,
  });
  bots.push(bot);
  return bot;
}

function opsClient(): ResourceClient {
  return createInProcessClient(fleet.api, internalIdentity('opsbot'));
}

async function addPlaybook(name: string, spec: object): Promise<void> {
  await fleet.client.create(playbookResource, {
    metadata: { name },
    spec: {
      mode: 'Automatic',
      on: { icinga: { check: 'power', states: ['down'] } },
      target: { kind: 'Node' },
      steps: [{ action: 'drain-node', timeoutSeconds: 10 }],
      verify: { accept: 'Done' },
      ...spec,
    } as unknown as PlaybookSpec,
  });
}

async function addWorkload(): Promise<void> {
  await fleet.client.create(workloadResource, {
    metadata: { name: 'edge' },
    spec: {
      package: { formula: 'edge' },
      run: { command: ['serve'], restart: 'Always' },
      replicas: 2,
      spread: 'zone',
      resources: { cpus: 1, memoryBytes: 0 },
      moveAfterSeconds: 0,
      atOnce: 1,
    },
  });
  await eventually('the workload is ready', async () => {
    const { status } = await fleet.client.get(workloadResource, 'edge');
    return status?.counts?.ready === 2;
  });
}

function down(host: string, change: Partial<Signal> = {}): Signal {
  return {
    source: 'icinga',
    key: `icinga/${host}`,
    targets: [
      { kind: 'Device', name: host },
      { kind: 'Node', name: host },
    ],
    topic: 'power',
    state: 'down',
    says: `${host} is down`,
    sinceMs: 1000,
    order: 1000,
    handled: false,
    flapping: false,
    ...change,
  };
}

async function remediations(): Promise<readonly Remediation[]> {
  return (await fleet.client.list(remediationResource)).items;
}

function untilPhase(phase: string): Promise<Remediation> {
  return eventually(`a remediation is ${phase}`, async () =>
    (await remediations()).find(({ status }) => status?.phase === phase),
  );
}

async function isDraining(node: string): Promise<boolean> {
  return (await fleet.client.get(nodeResource, node)).spec.draining === true;
}

async function approve(
  { metadata, status }: Remediation,
  who: { readonly user: string; readonly groups: readonly string[] },
  digest: string = status?.digest ?? '',
): Promise<unknown> {
  const { createApprovalHandler, createGiveApproval } = await import('./approval-handler.ts');
  const give = createGiveApproval({ client: opsClient(), clock: systemClock });
  const handler = createApprovalHandler(give);
  const response = { writeHead: () => undefined, end: () => undefined };
  const connect = {
    identity: { ...who, via: 'token' },
    object: { metadata: { name: metadata.name } },
    subresource: 'approve',
    query: new URLSearchParams({ decision: 'Approved', digest }),
    request: { method: 'POST' },
    signal: AbortSignal.timeout(10_000),
  };
  return await handler.handle?.(connect as never, response as never);
}

const dana = { user: 'dana', groups: ['tapline:approver'] };

test('a dead node is drained, what ran there runs elsewhere, and the record says why and how', async () => {
  await addPlaybook('dead-node', {});
  await addWorkload();
  const before = await fleet.client.get(workloadResource, 'edge');
  const home = before.status?.placements?.[0]?.node ?? '';
  const bot = startBot();
  const playbook = await fleet.client.get(playbookResource, 'dead-node');
  bot.observe(down(home));
  const done = await untilPhase('Succeeded');
  expect(await isDraining(home)).toBe(true);
  const after = await fleet.client.get(workloadResource, 'edge');
  expect(after.status?.placements?.map(({ node }) => node)).not.toContain(home);
  expect(done.spec).toMatchObject({ playbook: 'dead-node', reason: `${home} is down` });
  expect(done.status?.evidence).toMatchObject([{ source: 'icinga', key: `icinga/${home}` }]);
  expect(done.status?.decisions?.every(({ allowed }) => allowed)).toBe(true);
  expect(done.status?.steps).toMatchObject([{ state: 'Done', says: 'nothing is left on it' }]);
  // A dry run of before shows just what was done.
  const { informers } = fleet.reconcilers;
  const undrained = { ...(await fleet.client.get(nodeResource, home)) };
  const node = {
    ...undrained,
    metadata: { ...undrained.metadata, labels: {} },
    spec: { device: home },
  };
  const dry = planRun(playbook, done.spec.target, {
    nodes: new Map([[home, node]]),
    devices: new Map(informers.devices.list().map((one) => [one.metadata.name, one])),
    workloads: new Map(),
    channels: new Map(),
    segments: new Map(),
    attachments: new Map(),
    deliveries: new Map(),
    installs: new Map(),
  });
  expect(storePlan(dry)).toEqual(done.status?.plan);
  const others = ['a1', 'a2', 'b1', 'b2'].filter((name) => name !== home);
  expect(await Promise.all(others.map(isDraining))).toEqual([false, false, false]);
  expect(decided[0]?.outcome).toBe('begun');
});

test('without a fault nothing is done, whatever else is told', async () => {
  await addPlaybook('dead-node', {});
  const bot = startBot();
  bot.observe(down('a1', { state: 'ok' }));
  bot.observe(down('a1', { topic: 'disk', key: 'icinga/a1!disk', state: 'critical' }));
  bot.observe(down('nobody'));
  await eventually('it leads', () => bot.epoch !== undefined);
  bot.observe(down('a2', { state: 'ok' }));
  await fleet.client.patch(deviceResource, 'a1', {
    kind: 'merge',
    body: { metadata: { labels: { other: 'x' } } },
  });
  // A fault that has a playbook is decided after all of these.
  await addPlaybook('watched', {
    mode: 'Observe',
    on: { icinga: { check: 'clock', states: ['critical'] } },
    target: { kind: 'Device' },
    steps: [{ action: 'notify', message: 'look' }],
  });
  bot.observe(down('b1', { topic: 'clock', key: 'icinga/b1!clock', state: 'critical' }));
  const incident = await eventually('it was decided', async () => {
    const { items } = await fleet.client.list(incidentResource);
    return items.find(({ status }) => status?.held !== undefined);
  });
  expect(incident.status?.held).toMatchObject([
    { guard: 'observe', says: 'it would tell people: look' },
  ]);
  expect(await remediations()).toEqual([]);
});

test('repeated, late and reordered events are one remediation', async () => {
  await addPlaybook('dead-node', {});
  const bot = startBot();
  const told = [
    down('a1', { order: 2000, sinceMs: 2000 }),
    down('a1', { order: 1000, sinceMs: 1000, state: 'ok' }),
    down('a1', { order: 2000, sinceMs: 2000 }),
    down('a1', { order: 1500, sinceMs: 1500 }),
    down('a1', { order: 2500, sinceMs: 2000, says: 'still down' }),
  ];
  for (const one of [...told, ...told.toReversed()]) bot.observe(one);
  await untilPhase('Succeeded');
  for (const one of told) bot.observe(one);
  bot.observe(down('a1', { order: 3000, state: 'ok' }));
  await eventually('the fault is over', async () =>
    (await remediations()).every(({ status }) => status?.clearedAt !== undefined),
  );
  for (const one of told) bot.observe(one);
  expect(await remediations()).toHaveLength(1);
  const { items } = await fleet.client.list(incidentResource);
  expect(items.map(({ status }) => status?.phase)).toEqual(['Resolved']);
});

test('a storm is one incident with its cause, and nothing is done on its own', async () => {
  const names = Array.from({ length: 50 }, (_, at) => `d${at}`);
  await Promise.all(
    names.map((name) =>
      fleet.client.create(deviceResource, {
        metadata: { name, labels: { zone: 'far' } },
        spec: { platform: 'linux/arm64', role: 'device' },
      }),
    ),
  );
  await addPlaybook('lost', {
    target: { kind: 'Device' },
    guards: { settleSeconds: 0.2 },
    steps: [
      { action: 'notify', message: 'gone' },
      { action: 'wait-for-approval' },
      { action: 'move-workload' },
    ],
  });
  await addPlaybook('gone', {
    target: { kind: 'Device' },
    guards: { settleSeconds: 0.2 },
    steps: [{ action: 'drain-node' }],
  });
  const bot = startBot();
  for (const name of names) bot.observe(down(name, { targets: [{ kind: 'Device', name }] }));
  const incident = await eventually('one incident of all', async () => {
    const { items } = await fleet.client.list(incidentResource);
    return items.find(({ status }) => status?.targets === 50 && status.phase === 'Open');
  });
  expect(incident.spec.cause).toEqual({ kind: 'Zone', name: 'far' });
  expect(incident.status?.summary).toBe('50 objects have faults; Zone far explains them');
  expect(await remediations()).toEqual([]);
});

describe('people', () => {
  test('approve just what they were shown, and no program can', async () => {
    await addPlaybook('dead-node', { mode: 'Approve' });
    const bot = startBot();
    bot.observe(down('a1'));
    const asked = await untilPhase('AwaitingApproval');
    expect(await isDraining('a1')).toBe(false);
    const refused = (run: Promise<unknown>, code: string) =>
      expect(run).rejects.toMatchObject({ code });
    await refused(approve(asked, { user: 'bot', groups: ['tapline:tool'] }), 'forbidden');
    await refused(approve(asked, { user: 'system:node:a1', groups: [] }), 'forbidden');
    await refused(approve(asked, dana, 'f'.repeat(64)), 'conflict');

    // What was approved is another thing once the playbook changed: it is not replayed.
    const found = await fleet.client.get(playbookResource, 'dead-node');
    await fleet.client.update(playbookResource, {
      ...found,
      spec: { ...found.spec, steps: [{ action: 'notify', message: 'x' }, ...found.spec.steps] },
    });
    const changed = await eventually('its plan is another', async () => {
      const [now] = await remediations();
      return now?.status?.digest === asked.status?.digest ? undefined : now;
    });
    await refused(approve(changed, dana, asked.status?.digest), 'conflict');
    await expect(
      fleet.client.update(remediationResource, {
        ...changed,
        spec: { ...changed.spec, target: { kind: 'Node', name: 'b1' } },
      }),
    ).rejects.toMatchObject({ code: 'invalid' });
    expect(await isDraining('a1')).toBe(false);

    await approve(changed, dana);
    const done = await untilPhase('Succeeded');
    expect(done.status?.approvals).toMatchObject([{ user: 'dana', decision: 'Approved' }]);
    expect(await isDraining('a1')).toBe(true);
    expect(await isDraining('b1')).toBe(false);
  });

  test('ask for something, which the guard rails of its fault still hold', async () => {
    await addPlaybook('dead-node', { guards: { settleSeconds: 3600 } });
    const bot = startBot();
    bot.observe(down('a1'));
    await eventually('its fault is known', async () => {
      const { items } = await fleet.client.list(incidentResource);
      return items.length > 0;
    });
    const asked = await fleet.client.create(remediationResource, {
      metadata: { name: 'asked' },
      spec: {
        playbook: 'dead-node',
        target: { kind: 'Node', name: 'a1' },
        reason: 'it is slow',
        requestedBy: 'eve',
      },
    });
    const waiting = await untilPhase('AwaitingApproval');
    expect(waiting.metadata.uid).toBe(asked.metadata.uid);
    await approve(waiting, dana);
    const held = await untilPhase('Waiting');
    expect(held.status?.outcome).toContain('held by settled');
    expect(await isDraining('a1')).toBe(false);
  });

  test('pause it, and what was held begins when they let it', async () => {
    await addPlaybook('dead-node', {});
    const spec = { ...opsPolicyResource.spec.parse({}), paused: true, reason: 'works' };
    await fleet.client.create(opsPolicyResource, { metadata: { name: 'default' }, spec });
    const bot = startBot();
    bot.observe(down('a1'));
    await eventually('it is held', async () => {
      const { items } = await fleet.client.list(incidentResource);
      return items[0]?.status?.held?.[0]?.says === 'OpsBot is paused: works';
    });
    expect(await remediations()).toEqual([]);
    const body = { spec: { paused: null } };
    await fleet.client.patch(opsPolicyResource, 'default', { kind: 'merge', body });
    await untilPhase('Succeeded');
  });
});

test('what did not help is taken back, and the next rung is tried, then a person', async () => {
  await addPlaybook('first', {
    verify: { timeoutSeconds: 0.3 },
    escalateTo: 'second',
  });
  await addPlaybook('second', {
    on: { alert: { name: 'never' } },
    steps: [{ action: 'notify', message: 'nothing helped' }],
    verify: { timeoutSeconds: 0.3 },
    guards: { cooldownSeconds: 0 },
  });
  const bot = startBot();
  bot.observe(down('a1'));
  const failed = await eventually('both failed', async () => {
    const all = await remediations();
    return all.length === 2 && all.every(({ status }) => status?.phase === 'Failed')
      ? all
      : undefined;
  });
  const first = failed.find(({ spec }) => spec.playbook === 'first');
  const second = failed.find(({ spec }) => spec.playbook === 'second');
  expect(first?.status).toMatchObject({
    error: { code: 'ops_not_helped' },
    steps: [{ state: 'Undone' }],
    escalated: second?.metadata.name,
  });
  expect(second?.status?.escalated).toBe('person');
  expect(await isDraining('a1')).toBe(false);
});

test('a wave that failed is rolled back', async () => {
  await addPlaybook('failed-delivery', {
    on: { condition: { type: 'Degraded', status: 'True' } },
    target: { kind: 'Delivery' },
    steps: [{ action: 'rollback-delivery', timeoutSeconds: 10 }],
  });
  const strategy = deliveryResource.spec.parse({
    package: { formula: 'jq' },
    selector: {},
    strategy: {},
  }).strategy;
  const spec = {
    package: { formula: 'jq', version: '1.0' },
    selector: { matchLabels: { zone: 'a' } },
    rollout: 1,
    ...(strategy !== undefined && { strategy }),
  };
  await fleet.client.create(deliveryResource, { metadata: { name: 'jq' }, spec });
  const until = (what: string, version: string, ready: number) =>
    eventually(what, async () => {
      const { status } = await fleet.client.get(deliveryResource, 'jq');
      return status?.version === version && status.counts?.ready === ready;
    });
  await until('1.0 is there', '1.0', 2);
  startBot();
  fleet.broken.add('2.0');
  const body = { spec: { package: { version: '2.0' } } };
  await fleet.client.patch(deliveryResource, 'jq', { kind: 'merge', body });
  const done = await untilPhase('Succeeded');
  expect(done.status?.plan?.map(({ text }) => text)).toEqual([
    'roll delivery jq back from 2.0 to 1.0',
  ]);
  await until('1.0 is there again', '1.0', 2);
});

describe('two replicas', () => {
  /** A client whose update of a Node waits at a gate, as that of a process that was stopped there. */
  function gated(): {
    readonly client: ResourceClient;
    readonly reached: Promise<void>;
    open(): void;
  } {
    const client = opsClient();
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const update: ResourceClient['update'] = async (definition, object, options) => {
      if (definition.kind === 'Node') {
        reached.resolve();
        await gate.promise;
      }
      return await client.update(definition, object, options);
    };
    const proxy = new Proxy(client, {
      get: (target, key) =>
        key === 'update' ? update : (Reflect.get(target, key) as () => void).bind(target),
    });
    return { client: proxy, reached: reached.promise, open: () => gate.resolve() };
  }

  test('a leader that was stopped in the middle can do nothing when it goes on', async () => {
    await addPlaybook('dead-node', {});
    const stopped = gated();
    const one = startBot(stopped.client, 'one');
    one.observe(down('a1'));
    await stopped.reached;
    expect(await isDraining('a1')).toBe(false);
    // Another takes over, decides that the node is not to be drained, and ends it.
    const two = startBot(opsClient(), 'two');
    await eventually('the other leads', () => (two.epoch ?? 0) > (one.epoch ?? 0));
    two.observe(down('a1'));
    const done = await untilPhase('Succeeded');
    expect(done.status?.epoch).toBe(two.epoch);
    const drained = await fleet.client.get(nodeResource, 'a1');
    const body = { spec: { draining: null } };
    await fleet.client.patch(nodeResource, 'a1', { kind: 'merge', body });
    const undone = await fleet.client.get(nodeResource, 'a1');
    stopped.open();
    // What the first had under way is refused; the audit of the object shows no other write.
    await one[Symbol.asyncDispose]();
    const now = await fleet.client.get(nodeResource, 'a1');
    expect(now.metadata.resourceVersion).toBe(undone.metadata.resourceVersion);
    expect(drained.metadata.annotations?.['ops.tapline.dev/epoch']).toBe(String(two.epoch));
  });

  test('one leads, and the other takes over when it is gone, within the lease', async () => {
    await addPlaybook('dead-node', {});
    const one = startBot(opsClient(), 'one', true);
    await eventually('the first leads', () => one.epoch === 1);
    const two = startBot(opsClient(), 'two', true);
    await one[Symbol.asyncDispose]();
    await eventually('the second leads', () => two.epoch === 2);
    two.observe(down('a1'));
    const done = await untilPhase('Succeeded');
    expect(done.status?.epoch).toBe(2);
  });

  test('the store refuses what bears an epoch that is over', async () => {
    const bot = startBot();
    await eventually('it leads', () => bot.epoch !== undefined);
    const two = startBot(opsClient(), 'two');
    await eventually('the other leads', () => two.epoch === 2);
    const annotations = { 'ops.tapline.dev/epoch': '1' };
    const late = fleet.client.patch(nodeResource, 'a1', {
      kind: 'merge',
      body: { metadata: { annotations }, spec: { draining: true } },
    });
    await expect(late).rejects.toMatchObject({ code: 'forbidden' });
    expect(await isDraining('a1')).toBe(false);
  });
});
