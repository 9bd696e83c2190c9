import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApiServer, internalIdentity } from '@tapline/apiserver';
import { seededRng, silentLog, systemClock, TaplineError } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import type { Fabric, FabricCondition } from '@tapline/fabric';
import { attachmentResource, type AttachmentSpec, taplineResources } from '@tapline/resources';
import { emptyState, type FabricIntent } from '@tapline/segments';
import { openMemoryStore } from '@tapline/store';
import { eventually, temporaryFolder } from '@tapline/testing';
import { AgentState } from '../agent-state.ts';
import { createInterruptibleClient } from '../testing/interruptible-client.ts';
import { createSegmentAgent, type SegmentAgent } from './segment-agent.ts';

/** A kernel that takes whatever it is told, and remembers it: what is tried here is the agent. */
class Kernel {
  readonly intents: FabricIntent[] = [];
  refuse = new Map<string, Pick<FabricCondition, 'reason' | 'message'>>();
  broken = false;
  left: string[] = [];

  readonly fabric: Pick<Fabric, 'apply' | 'check' | 'observe' | 'metrics'> = {
    apply: async (intent) => {
      if (this.broken) throw new TaplineError('fabric_failed', 'the helper is gone');
      this.intents.push(intent);
      const conditions = intent.segments.map(({ name, vni }) => {
        const refused = this.refuse.get(name);
        const rest = refused ?? { reason: 'Applied', message: '' };
        return { segment: name, vni, ready: refused === undefined, ...rest };
      });
      const state = conditions.every(({ ready }) => ready) ? 'converged' : 'degraded';
      const timings = { observeMs: 0, planMs: 0, applyMs: 0 };
      return { state, conditions, operations: 1, timings };
    },
    check: async () => ({ open: this.left, metrics: await this.fabric.metrics() }),
    observe: async () => emptyState,
    metrics: async () => ({ segments: [], drops: {}, handshakeAgeSeconds: {}, driftMended: 0 }),
  };

  get newest(): FabricIntent | undefined {
    return this.intents.at(-1);
  }
}

let opened: AsyncDisposableStack;
let admin: ResourceClient;
let own: ReturnType<typeof createInterruptibleClient>;
let kernel: Kernel;
let folder: string;
let running: AsyncDisposableStack;
let agent: SegmentAgent;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  folder = opened.use(await temporaryFolder()).path;
  const store = opened.use(openMemoryStore());
  const api = opened.use(
    await createApiServer({
      store,
      definitions: taplineResources,
      clock: systemClock,
      log: silentLog,
      audit: { record: () => undefined, written: () => Promise.resolve() },
      version: 'test',
    }),
  );
  admin = createInProcessClient(api, internalIdentity('test'));
  const { deviceResource } = await import('@tapline/resources');
  await admin.create(deviceResource, {
    metadata: { name: 'n1' },
    spec: { platform: 'linux/amd64', role: 'node' },
  });
  const node = { user: 'system:node:n1', groups: ['system:nodes'], via: 'internal' } as const;
  own = createInterruptibleClient(createInProcessClient(api, node));
  kernel = new Kernel();
  await start();
});
afterEach(async () => {
  await running.disposeAsync();
  await opened.disposeAsync();
});

async function start(): Promise<void> {
  running = new AsyncDisposableStack();
  const state = running.use(await AgentState.open(folder));
  agent = running.use(
    createSegmentAgent({
      node: 'n1',
      underlay: '192.0.2.1',
      client: own,
      state,
      fabric: kernel.fabric,
      clock: systemClock,
      rng: seededRng(1),
      log: silentLog,
    }),
  );
}

function spec(segment: string, more: Partial<AttachmentSpec> = {}): AttachmentSpec {
  return {
    node: 'n1',
    segment,
    epoch: 1,
    vxlanPort: 4789,
    self: { name: 'n1', vtep: '100.112.0.1', underlay: '192.0.2.1', wireguardKey: 'A=' },
    peers: [{ name: 'n2', vtep: '100.112.0.2', underlay: '192.0.2.2', wireguardKey: 'B=' }],
    vni: 4096,
    subnet: '10.7.0.0/24',
    mtu: 1370,
    encryption: { underlay: 'wireguard', link: 'none' },
    communities: { a: 16 },
    ports: [
      {
        node: 'n1',
        index: 1,
        incarnation: 1,
        owner: 'n1',
        addresses: ['10.7.0.2'],
        role: { kind: 'community', community: 'a' },
        attach: { kind: 'host' },
      },
    ],
    ...more,
  };
}

async function attach(segment: string, more: Partial<AttachmentSpec> = {}): Promise<void> {
  await admin.create(attachmentResource, {
    metadata: { name: `n1.${segment}` },
    spec: spec(segment, more),
  });
}

async function reported(segment: string, epoch: number, state: string): Promise<object> {
  return await eventually(`${segment} is ${state} at ${epoch}`, async () => {
    const { status } = await admin.get(attachmentResource, `n1.${segment}`);
    return status?.observedEpoch === epoch && status.state === state ? status : undefined;
  });
}

test('what is ordered stands, and the order’s epoch is reported with its times', async () => {
  await attach('news');
  const status = await reported('news', 1, 'Ready');
  expect(status).toMatchObject({
    mtu: 1370,
    ports: 1,
    stages: { total: expect.any(Number) as number },
  });
  expect(kernel.newest).toMatchObject({
    vxlanPort: 4789,
    nodes: [{ name: 'n1' }, { name: 'n2', wireguardKey: 'B=' }],
    segments: [
      { name: 'news', vni: 4096, ports: [{ role: { kind: 'community', community: 'a' } }] },
    ],
  });
});

test('an older epoch is refused, and said so', async () => {
  await attach('news', { epoch: 5 });
  await reported('news', 5, 'Ready');
  const before = kernel.intents.length;
  await admin.patch(attachmentResource, 'n1.news', {
    kind: 'merge',
    body: { spec: { epoch: 4, mtu: 1000 } },
  });
  await eventually('it is refused', async () => {
    const { status } = await admin.get(attachmentResource, 'n1.news');
    return status?.error?.code === 'epoch_stale' && status.observedEpoch === 5;
  });
  expect(kernel.intents.slice(before).every(({ segments }) => segments[0]?.mtu === 1370)).toBe(
    true,
  );
});

test('without a control plane, what stood stands again after a restart', async () => {
  await attach('news');
  await reported('news', 1, 'Ready');
  await running.disposeAsync();
  own.failWith(new TaplineError('unreachable', 'away'));
  kernel = new Kernel();
  await start();
  await eventually('it stands', () => kernel.newest?.segments.length === 1);
  // What changed meanwhile is done when it is back.
  await admin.delete(attachmentResource, 'n1.news');
  await attach('sport', { vni: 4097 });
  own.failWith(undefined);
  await reported('sport', 1, 'Ready');
  expect(kernel.newest?.segments.map(({ name }) => name)).toEqual(['sport']);
});

test('a segment that is deleted is taken down, and another one is not touched', async () => {
  await attach('news');
  await attach('sport', { vni: 4097 });
  await reported('news', 1, 'Ready');
  await reported('sport', 1, 'Ready');
  const before = kernel.newest?.segments.find(({ name }) => name === 'sport');
  await admin.delete(attachmentResource, 'n1.news');
  await eventually('it is gone', () => kernel.newest?.segments.length === 1);
  // The same object: the fabric need not look at it again.
  expect(kernel.newest?.segments[0]).toBe(before);
});

test('what the kernel refuses is reported with its code, and what is left undone is not Ready', async () => {
  kernel.refuse.set('news', { reason: 'module_missing', message: 'no wireguard' });
  await attach('news');
  expect(await reported('news', 1, 'Failed')).toMatchObject({
    error: { code: 'module_missing', message: 'no wireguard' },
  });
  kernel.refuse.clear();
  kernel.left = ['ip link set tv4096 up'];
  await admin.patch(attachmentResource, 'n1.news', { kind: 'merge', body: { spec: { epoch: 2 } } });
  expect(await reported('news', 2, 'Failed')).toMatchObject({ error: { code: 'not_verified' } });
  kernel.left = [];
  expect(await reported('news', 2, 'Ready')).not.toHaveProperty('error');
});

test('a fabric that fails is asked again', async () => {
  kernel.broken = true;
  await attach('news');
  await eventually('the agent knows', () => agent.synced.then(() => true));
  kernel.broken = false;
  expect(await reported('news', 1, 'Ready')).toMatchObject({ ports: 1 });
});
